import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.RedeliveryPolicy;
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

    /** Each connection that ends without an answer counts, and the last one refuses before its program sees anything. */
    static void overConnections(Scene scene) throws Exception {
        scene.send("poison");
        for (String wanted : new String[] {"poison", "poison/2", "poison/3"}) {
            Connection connection = impatient(scene);
            Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
            Scene.check(Scene.next(session.createConsumer(scene.queue), 1), wanted);
            connection.close();
        }
        Scene.nothing(impatient(scene).createSession(true, Session.SESSION_TRANSACTED).createConsumer(scene.queue));
        String cause = Scene.next(scene.deadLetters()).getStringProperty("dlqDeliveryFailureCause");
        Scene.check(cause.startsWith("java.lang.Throwable: Delivery[3] exceeds redelivery policy limit:RedeliveryPolicy"), true);
    }

    /** What is rolled back comes before what was not delivered yet, in its order. */
    static void inOrder(Scene scene) throws Exception {
        scene.send("1", "2", "3", "4", "5");
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(Scene.next(consumer, 3), "1 2 3");
        session.rollback();
        Scene.check(Scene.next(consumer, 4), "1/2 2/2 3/2 4");
        session.rollback();
        Scene.check(Scene.next(consumer, 5), "1/3 2/3 3/3 4/2 5");
        session.commit();
        Scene.check(scene.left(), "");
    }

    /** A client that does not wait for a delay gives others meanwhile what it has. */
    static void withoutBlocking(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setNonBlockingRedelivery(true);
        factory.getRedeliveryPolicy().setInitialRedeliveryDelay(500);
        factory.getRedeliveryPolicy().setRedeliveryDelay(500);
        Session session = scene.open(factory).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        scene.send("1", "2");
        Scene.check(Scene.next(consumer, 1), "1");
        session.rollback();
        Scene.check(Scene.next(consumer, 2), "2 1/2");
        session.commit();
        Scene.check(scene.left(), "");
    }

    /** With no limit, which a policy for this queue alone has, a message comes until it is taken. */
    static void withoutEnd(Scene scene) throws Exception {
        scene.send("1");
        ActiveMQConnectionFactory factory = scene.factory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(0);
        RedeliveryPolicy endless = factory.getRedeliveryPolicy().copy();
        endless.setMaximumRedeliveries(RedeliveryPolicy.NO_MAXIMUM_REDELIVERIES);
        ActiveMQConnection connection = (ActiveMQConnection) scene.open(factory);
        connection.getRedeliveryPolicyMap().put((ActiveMQQueue) scene.queue, endless);
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(Scene.next(consumer, 1), "1");
        for (int i = 2; i < 12; i++) {
            session.rollback();
            Scene.check(Scene.next(consumer, 1), "1/" + i);
        }
        session.commit();
        Scene.check(scene.left(), "");
    }

    /** A connection whose consumers take a message at most three times. */
    private static Connection impatient(Scene scene) throws JMSException {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(2);
        return scene.open(factory);
    }
}
