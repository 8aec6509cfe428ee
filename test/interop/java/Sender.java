import java.util.ArrayList;
import java.util.List;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.JMSException;
import javax.jms.MessageProducer;
import javax.jms.Session;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * Sends texts to FirstQueue: URL COUNT PERSISTENT|NON_PERSISTENT TRANSACTED|SYNC PRODUCERS. Each producer has a connection of its
 * own and sends COUNT messages. Says each message that is safe with the broker: "sent PRODUCER NUMBER".
 */
public class Sender {
    private final String url;
    private final int count;
    private final int deliveryMode;
    private final boolean transacted;

    private Sender(String[] args) {
        url = args[0];
        count = Integer.parseInt(args[1]);
        deliveryMode = args[2].equals("PERSISTENT") ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT;
        transacted = args[3].equals("TRANSACTED");
    }

    public static void main(String[] args) throws Exception {
        Sender sender = new Sender(args);
        List<Thread> threads = new ArrayList<>();
        for (int i = 1; i <= Integer.parseInt(args[4]); i++) {
            int producer = i;
            threads.add(new Thread(() -> sender.run(producer)));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void run(int producer) {
        try {
            send(producer);
        } catch (JMSException e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private void send(int number) throws JMSException {
        Connection connection = new ActiveMQConnectionFactory(url).createConnection();
        connection.start();
        Session session = connection.createSession(transacted, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createQueue("FirstQueue"));
        producer.setDeliveryMode(deliveryMode);
        for (int i = 1; i <= count; i++) {
            producer.send(session.createTextMessage("message 消息 " + number + " " + i));
            if (!transacted) {
                System.out.println("sent " + number + " " + i);
            }
        }
        if (transacted) {
            session.commit();
            for (int i = 1; i <= count; i++) {
                System.out.println("sent " + number + " " + i);
            }
        }
        connection.close();
    }
}
