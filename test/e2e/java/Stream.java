import java.io.IOException;
import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * Sends or receives numbered persistent messages until its standard input ends: send|receive QUEUE. The environment has
 * the broker's JMS_URL, JMS_USERNAME and JMS_PASSWORD. Says each number that is safe with the broker ("sent"), or that
 * was delivered ("received", or "again" if it may be a second delivery).
 */
public class Stream {
    private static final int PAUSE_MILLIS = 2;

    public static void main(String[] args) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(System.getenv("JMS_URL"))
            .createConnection(System.getenv("JMS_USERNAME"), System.getenv("JMS_PASSWORD"));
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(args[1]);
        Thread untilToldToEnd = inputReader();
        if (args[0].equals("send")) {
            send(session, session.createProducer(queue), untilToldToEnd);
        } else {
            receive(session.createConsumer(queue), untilToldToEnd);
        }
        connection.close();
    }

    private static void send(Session session, MessageProducer producer, Thread untilToldToEnd) throws Exception {
        for (int number = 1; untilToldToEnd.isAlive(); number++) {
            producer.send(session.createTextMessage(Integer.toString(number)));
            System.out.println("sent " + number);
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    private static void receive(MessageConsumer consumer, Thread untilToldToEnd) throws JMSException {
        while (untilToldToEnd.isAlive()) {
            Message message = consumer.receive(200);
            if (message != null) {
                System.out.println((message.getJMSRedelivered() ? "again " : "received ") + ((TextMessage) message).getText());
            }
        }
    }

    /** A thread that lives as long as standard input is open. */
    private static Thread inputReader() {
        Thread reader = new Thread(() -> {
            try {
                System.in.transferTo(java.io.OutputStream.nullOutputStream());
            } catch (IOException e) {
                // closed is closed
            }
        });
        reader.setDaemon(true);
        reader.start();
        return reader;
    }
}
