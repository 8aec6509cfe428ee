import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.MessageProducer;
import javax.jms.Session;
import org.apache.activemq.ActiveMQConnectionFactory;

/** Sends texts to FirstQueue: URL COUNT PERSISTENT|NON_PERSISTENT TRANSACTED|SYNC. Says each message that is safe with the broker. */
public class Sender {
    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[1]);
        boolean transacted = args[3].equals("TRANSACTED");
        Connection connection = new ActiveMQConnectionFactory(args[0]).createConnection();
        connection.start();
        Session session = connection.createSession(transacted, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createQueue("FirstQueue"));
        producer.setDeliveryMode(args[2].equals("PERSISTENT") ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT);
        for (int i = 1; i <= count; i++) {
            producer.send(session.createTextMessage("message 消息 " + i));
            if (!transacted) {
                System.out.println("sent " + i);
            }
        }
        if (transacted) {
            session.commit();
            for (int i = 1; i <= count; i++) {
                System.out.println("sent " + i);
            }
        }
        connection.close();
    }
}
