import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;

/** What becomes of messages that were delivered and not acknowledged. */
class RedeliveryChecks {
    static void toAConsumerThatIsThere(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Session first = scene.session(Session.CLIENT_ACKNOWLEDGE);
        Scene.check(Scene.next(first.createConsumer(scene.queue), 2), "1 2");
        MessageConsumer second = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        Scene.nothing(second);
        first.close();
        Scene.check(Scene.next(second, 3), "1/2 2/2 3");
    }

    /** Nobody knows what the program of a connection that broke has seen, so all that was sent to it counts as delivered. */
    static void afterABrokenConnection(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        ActiveMQConnection breaking = (ActiveMQConnection) scene.factory().createConnection();
        breaking.start();
        Session first = breaking.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Scene.check(Scene.next(first.createConsumer(scene.queue), 2), "1 2");
        MessageConsumer second = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        breaking.getTransport().narrow(Socket.class).close();
        Scene.check(Scene.next(second, 3), "1/2 2/2 3/2");
    }

    static void untilItIsADeadLetter(Scene scene) throws Exception {
        scene.send("poison", "good");
        Session session = impatient(scene).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        for (String wanted : new String[] {"poison", "poison/2", "poison/3"}) {
            Scene.check(Scene.next(consumer, 1), wanted);
            session.rollback();
        }
        Scene.check(Scene.next(consumer, 1), "good");
        session.commit();
        Message letter = Scene.next(scene.deadLetters());
        Scene.check(((TextMessage) letter).getText(), "poison");
        Scene.check(letter.getJMSDestination(), new ActiveMQQueue("ActiveMQ.DLQ"));
        Scene.check(((ActiveMQMessage) letter).getOriginalDestination(), scene.queue);
        Scene.check(letter.getJMSDeliveryMode(), DeliveryMode.PERSISTENT);
        String cause = letter.getStringProperty("dlqDeliveryFailureCause");
        Scene.check(cause.contains("exceeds redelivery policy limit"), true);
    }

    static void untilItIsADeadLetterOfAListener(Scene scene) throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        impatient(scene).createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue).setMessageListener(message -> {
            got.add(AcknowledgeChecks.told(message));
            throw new IllegalArgumentException("thrown by the check's listener");
        });
        scene.send("poison");
        for (String wanted : new String[] {"poison", "poison/2", "poison/3"}) {
            Scene.check(got.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS), wanted);
        }
        Scene.next(scene.deadLetters());
        Scene.check(got.poll(Scene.SILENCE, TimeUnit.MILLISECONDS), null);
    }

    static void untilItIsADeadLetterOfRecover(Scene scene) throws Exception {
        scene.send("poison");
        Session session = impatient(scene).createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        for (String wanted : new String[] {"poison", "poison/2", "poison/3"}) {
            Scene.check(Scene.next(consumer, 1), wanted);
            session.recover();
        }
        Scene.next(scene.deadLetters());
        Scene.nothing(consumer);
    }

    /** Messages that are not persistent are no dead letters, unless a broker is told otherwise. */
    static void ofWhatIsNotPersistent(Scene scene) throws Exception {
        Session session = impatient(scene).createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(scene.text(session, "poison"));
        session.commit();
        MessageConsumer consumer = session.createConsumer(scene.queue);
        for (int i = 0; i < 3; i++) {
            Scene.next(consumer);
            session.rollback();
        }
        Scene.nothing(consumer);
        Scene.nothing(scene.deadLetters());
    }

    /** A connection whose consumers take a message at most three times. */
    private static Connection impatient(Scene scene) throws JMSException {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(2);
        return scene.open(factory);
    }
}
