import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQMessageConsumer;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** What becomes of messages that nobody could consume. A check's queue is called CLASS.CHECK and a number. */
class DeadLetterChecks {
    static void haveAQueueOfTheirOwn(Scene scene) throws Exception {
        scene.send("poison");
        refuse(scene, scene.queue, 1);
        Message letter = Scene.next(consumer(scene, new ActiveMQQueue("DLQ." + scene.name + ".letters")));
        Scene.check(Scene.tell(letter), "poison");
        Scene.check(((ActiveMQMessage) letter).getOriginalDestination(), scene.queue);
        Scene.check(letter.getJMSExpiration(), 0);
        Scene.check(letter.getObjectProperty("originalExpiration"), 0L);
        Scene.check(letter.getObjectProperty("originalDeliveryMode"), null);
        String cause = letter.getStringProperty("dlqDeliveryFailureCause");
        Scene.check(cause.startsWith("java.lang.Throwable: ") && cause.contains("exceeds redelivery policy limit"), true);
        Scene.nothing(scene.deadLetters());
    }

    static void goToATopic(Scene scene) throws Exception {
        MessageConsumer letters = scene.session(Session.AUTO_ACKNOWLEDGE)
            .createConsumer(new ActiveMQTopic("ActiveMQ.DLQ.Queue." + scene.name));
        scene.send("poison");
        refuse(scene, scene.queue, 1);
        Scene.check(Scene.next(letters, 1), "poison");
    }

    static void areDiscarded(Scene scene) throws Exception {
        scene.send("poison", "last");
        refuse(scene, scene.queue, 2);
        Scene.nothing(scene.deadLetters());
        Scene.check(scene.left(), "");
    }

    static void areOfWhatIsNotPersistent(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(scene.text(session, "poison"));
        refuse(scene, scene.queue, 1);
        Message letter = Scene.next(scene.deadLetters());
        Scene.check(letter.getJMSDeliveryMode(), DeliveryMode.PERSISTENT);
        Scene.check(letter.getStringProperty("originalDeliveryMode"), "NON_PERSISTENT");
    }

    /** A dead letter that expires is none once more. */
    static void expire(Scene scene) throws Exception {
        scene.send("poison");
        refuse(scene, scene.queue, 1);
        Queue letters = new ActiveMQQueue("Letters." + scene.name);
        MessageConsumer consumer = consumer(scene, letters);
        Message letter = Scene.next(consumer);
        long lives = letter.getJMSExpiration() - System.currentTimeMillis();
        Scene.check(lives > 0 && lives <= 60_000, true);
        Scene.check(letter.getObjectProperty("originalExpiration"), null);
    }

    /** One message that two queues have is one dead letter. */
    static void areAudited(Scene scene) throws Exception {
        Queue first = new ActiveMQQueue(scene.name + ".first");
        Queue second = new ActiveMQQueue(scene.name + ".second");
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(new ActiveMQQueue(scene.name + ".first," + scene.name + ".second"))
            .send(scene.text(session, "poison"));
        refuse(scene, first, 1);
        refuse(scene, second, 1);
        MessageConsumer letters = scene.deadLetters();
        Scene.next(letters);
        Scene.nothing(letters);
    }

    /** Who refuses a dead letter ends it. */
    static void thatAreRefusedAreGone(Scene scene) throws Exception {
        Queue letters = new ActiveMQQueue("ActiveMQ.DLQ");
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(letters).send(scene.text(session, "letter"));
        refuse(scene, letters, 1);
        Scene.nothing(scene.deadLetters());
    }

    /** A topic's message that a subscriber without a durable subscription refuses is none. */
    static void areNoneOfATopic(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.candidFactory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(0);
        Session session = scene.open(factory).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.topic);
        MessageProducer producer = session.createProducer(scene.topic);
        producer.send(scene.text(session, "poison"));
        session.commit();
        Scene.next(consumer);
        session.rollback();
        producer.send(scene.text(session, "next"));
        session.commit();
        Scene.check(Scene.next(consumer, 1), "next");
        session.commit();
        Scene.nothing(scene.deadLetters());
    }

    static void haveAQueueForEachDurableSubscription(Scene scene) throws Exception {
        MessageConsumer first = durable(scene, "first");
        MessageConsumer second = durable(scene, "second");
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(scene.topic).send(scene.text(session, "poison"));
        for (MessageConsumer consumer : new MessageConsumer[] {first, second}) {
            Scene.next(consumer);
            ((ActiveMQMessageConsumer) consumer).rollback();
        }
        for (String name : new String[] {"first", "second"}) {
            Queue letters = new ActiveMQQueue("ActiveMQ.DLQ.Topic." + scene.name + "." + scene.name + "." + name + ":" + name);
            Message letter = Scene.next(consumer(scene, letters));
            Scene.check(Scene.tell(letter), "poison");
            Scene.check(((ActiveMQMessage) letter).getOriginalDestination(), scene.topic);
        }
        Scene.nothing(first);
    }

    /** The subscription of a name on a connection of its own, which refuses what it is given. */
    private static MessageConsumer durable(Scene scene, String name) throws JMSException {
        ActiveMQConnectionFactory factory = scene.candidFactory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(0);
        factory.setClientID(scene.name + "." + name);
        Session session = scene.open(factory).createSession(false, Session.CLIENT_ACKNOWLEDGE);
        return session.createDurableSubscriber(scene.topic, name);
    }

    /** It is what it was but for what the broker says of it. */
    static void keepWhatTheyWere(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        TextMessage sent = scene.text(session, "poison");
        sent.setJMSCorrelationID("correlation");
        sent.setJMSType("type");
        sent.setJMSReplyTo(scene.topic);
        sent.setStringProperty("JMSXGroupID", "group");
        sent.setDoubleProperty("number", 1.5);
        session.createProducer(scene.queue).send(sent, DeliveryMode.PERSISTENT, 7, 3_600_000);
        refuse(scene, scene.queue, 1);
        Message letter = Scene.next(scene.deadLetters());
        Scene.check(letter.getJMSMessageID(), sent.getJMSMessageID());
        Scene.check(letter.getJMSTimestamp(), sent.getJMSTimestamp());
        Scene.check(letter.getJMSCorrelationID() + letter.getJMSType() + letter.getJMSPriority(), "correlationtype7");
        Scene.check(letter.getJMSReplyTo(), scene.topic);
        Scene.check(letter.getStringProperty("JMSXGroupID") + letter.getDoubleProperty("number"), "group1.5");
        Scene.check(letter.getJMSExpiration() + " " + letter.getJMSRedelivered(), "0 false");
        Scene.check(letter.getLongProperty("originalExpiration"), sent.getJMSExpiration());
    }

    private static MessageConsumer consumer(Scene scene, Queue queue) throws JMSException {
        return scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(queue);
    }

    /** Refuses so many messages of a queue, and waits until the broker knows. */
    private static void refuse(Scene scene, Queue queue, int count) throws Exception {
        ActiveMQConnectionFactory factory = scene.candidFactory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(0);
        Connection connection = scene.open(factory);
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(queue, "check = '" + scene.name + "'");
        for (int i = 0; i < count; i++) {
            Scene.next(consumer);
            session.rollback();
        }
        Scene.nothing(consumer);
        connection.close();
    }
}
