import javax.jms.Connection;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/** Receives from FirstQueue until nothing came for a while: URL MILLISECONDS. Says each message, and whether it may be a second delivery. */
public class Receive {
    public static void main(String[] args) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(args[0]).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue("FirstQueue"));
        TextMessage message;
        while ((message = (TextMessage) consumer.receive(Long.parseLong(args[1]))) != null) {
            String text = message.getText();
            System.out.println((message.getJMSRedelivered() ? "again " : "received ") + text.substring(text.lastIndexOf(' ') + 1));
        }
        connection.close();
    }
}
