import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;

/** Messages that live for a time only. The checks' queues are swept every second. */
class ExpiryChecks {
    static void leavesWhatLivesLonger(Scene scene) throws Exception {
        long sent = System.currentTimeMillis();
        Message message = send(scene, scene.queue, 60_000, DeliveryMode.PERSISTENT);
        Message got = Scene.next(scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue));
        Scene.check(got.getJMSExpiration(), message.getJMSExpiration());
        Scene.check(got.getJMSExpiration() >= sent + 60_000, true);
    }

    static void isFoundByTheSweep(Scene scene) throws Exception {
        Message message = send(scene, scene.queue, 1, DeliveryMode.PERSISTENT);
        Message letter = Scene.next(scene.deadLetters());
        Scene.check(letter.getJMSExpiration(), 0);
        Scene.check(letter.getLongProperty("originalExpiration"), message.getJMSExpiration());
        Scene.check(letter.getStringProperty("dlqDeliveryFailureCause"),
            "java.lang.Throwable: Message Expired. Expiration:" + message.getJMSExpiration());
        Scene.check(((ActiveMQMessage) letter).getOriginalDestination(), scene.queue);
        Scene.check(scene.left(), "");
    }

    static void dropsWhatIsNotPersistent(Scene scene) throws Exception {
        send(scene, scene.queue, 1, DeliveryMode.NON_PERSISTENT);
        send(scene, scene.queue, 2, DeliveryMode.PERSISTENT);
        MessageConsumer letters = scene.deadLetters();
        Scene.next(letters);
        Scene.nothing(letters);
        Scene.check(scene.left(), "");
    }

    /** What has expired when it is dispatched is a dead letter, and the next message comes. */
    static void isSeenAtDispatch(Scene scene) throws Exception {
        Queue unswept = new ActiveMQQueue("Unswept." + scene.name);
        send(scene, unswept, 50, DeliveryMode.PERSISTENT);
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(unswept).send(scene.text(session, "lasting"));
        MessageConsumer letters = scene.deadLetters();
        Scene.nothing(letters);
        Scene.check(Scene.next(session.createConsumer(unswept), 1), "lasting");
        Scene.check(Scene.next(letters, 1), "expiring");
    }

    /** What expires while it waits at a client that does not take it is found by that. */
    static void isSeenByTheClient(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        send(scene, scene.queue, 200, DeliveryMode.PERSISTENT);
        MessageConsumer letters = scene.deadLetters();
        Scene.nothing(letters);
        Thread.sleep(200);
        Scene.nothing(consumer);
        Scene.next(letters);
    }

    static void passesWhileATransactionIsOpen(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setTimeToLive(50);
        producer.send(scene.text(session, "expiring"));
        Thread.sleep(100);
        session.commit();
        Scene.nothing(consumer);
        Scene.check(Scene.next(scene.deadLetters(), 1), "expiring");
    }

    static void inATemporaryQueue(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Queue temporary = session.createTemporaryQueue();
        MessageProducer producer = session.createProducer(temporary);
        producer.setTimeToLive(50);
        producer.send(scene.text(session, "expiring"));
        Thread.sleep(100);
        Scene.nothing(session.createConsumer(temporary));
        Scene.check(Scene.next(scene.deadLetters(), 1), "expiring");
    }

    static void ofADurableSubscriptionThatIsAway(Scene scene) throws Exception {
        subscribe(scene).close();
        send(scene, scene.topic, 50, DeliveryMode.PERSISTENT);
        send(scene, scene.topic, 60_000, DeliveryMode.PERSISTENT);
        MessageConsumer letters = scene.deadLetters();
        Scene.check(Scene.next(letters, 1), "expiring");
        Scene.nothing(letters);
        Connection connection = subscribe(scene);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Scene.check(Scene.next(session.createDurableSubscriber(scene.topic, "away"), 1), "expiring");
        connection.close();
    }

    /** A connection that has made a durable subscription, and consumes from it no more. */
    private static Connection subscribe(Scene scene) throws JMSException {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setClientID(scene.name);
        Connection connection = scene.open(factory);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "away");
        session.close();
        return connection;
    }

    private static Message send(Scene scene, Destination destination, long live, int mode) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(destination);
        producer.setDeliveryMode(mode);
        producer.setTimeToLive(live);
        Message message = scene.text(session, "expiring");
        producer.send(message);
        return message;
    }
}
