import java.util.HashSet;
import java.util.Set;
import javax.jms.Connection;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * Receives COUNT different messages from FirstQueue, and what comes shortly after: URL COUNT. It gives up when nothing comes for
 * half a minute. Says of each whether it may be a second delivery: "received PRODUCER NUMBER" or "again PRODUCER NUMBER".
 */
public class Receive {
    private static final long PATIENCE = 30_000;
    private static final long SILENCE = 1000;

    public static void main(String[] args) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(args[0]).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue("FirstQueue"));
        Set<String> different = new HashSet<>();
        int count = Integer.parseInt(args[1]);
        TextMessage message;
        while ((message = (TextMessage) consumer.receive(different.size() < count ? PATIENCE : SILENCE)) != null) {
            String which = message.getText().substring("message 消息 ".length());
            different.add(which);
            System.out.println((message.getJMSRedelivered() ? "again " : "received ") + which);
        }
        connection.close();
    }
}
