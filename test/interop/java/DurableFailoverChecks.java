import java.util.LinkedHashSet;
import java.util.Set;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;

/** Durable subscriptions while their broker is killed and another one takes over. */
class DurableFailoverChecks {
    static void backlogOfWhoIsOffline(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        send(scene, "1", "2");
        Scene.check(Scene.next(subscriber, 1), "1");
        connection.close();
        send(scene, "3");
        Fault.kill();
        send(scene, "4");
        subscriber = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE).createDurableSubscriber(scene.topic, "s");
        Scene.check(((TextMessage) Scene.next(subscriber)).getText(), "2"); // which the first client may have had
        Scene.check(((TextMessage) Scene.next(subscriber)).getText(), "3");
        Scene.check(Scene.next(subscriber, 1), "4");
        Scene.nothing(subscriber);
    }

    /** A subscriber goes on with what comes, and nothing is lost, nor comes twice without a mark. */
    static void whoIsOnline(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.candidFactory();
        factory.setClientID(scene.name);
        Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Session sending = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = sending.createProducer(scene.topic);
        Set<String> sent = new LinkedHashSet<>();
        Set<String> got = new LinkedHashSet<>();
        for (int i = 1; i <= 300; i++) {
            producer.send(sending.createTextMessage("" + i));
            sent.add("" + i);
            if (i == 150) {
                Fault.kill();
            }
            if (i % 2 == 0) {
                take(subscriber, got);
            }
        }
        while (got.size() < sent.size()) {
            take(subscriber, got);
        }
        Scene.check(got, sent);
        Scene.nothing(subscriber);
    }

    private static void take(MessageConsumer subscriber, Set<String> got) throws JMSException {
        String told = Scene.next(subscriber, 1);
        if (!got.add(told.replaceAll("/.*", "")) && !told.contains("/")) {
            throw new AssertionError(told + " came twice and was not marked");
        }
    }

    static void transactionOfReceives(Scene scene) throws Exception {
        Session session = client(scene).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        send(scene, "1", "2", "3");
        Scene.check(Scene.next(subscriber, 1), "1");
        session.commit();
        Scene.check(Scene.next(subscriber, 1), "2");
        Fault.kill();
        session.rollback();
        Scene.check(Scene.next(subscriber, 2), "2/2 3/2");
        session.commit();
        Scene.nothing(subscriber);
    }

    /** What a takeover marks is not counted towards the most redeliveries, however many there are. */
    static void takeoversDoNotCount(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setClientID(scene.name);
        factory.getRedeliveryPolicy().setMaximumRedeliveries(1);
        Session session = scene.open(factory).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        send(scene, "1");
        Scene.check(Scene.next(subscriber, 1), "1");
        Fault.kill();
        session.rollback();
        Scene.check(Scene.next(subscriber, 1), "1/2");
        session.commit();
    }

    static void subscribeAndUnsubscribe(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "stays").close();
        session.createDurableSubscriber(scene.topic, "goes").close();
        session.unsubscribe("goes");
        Fault.kill();
        Scene.refused(InvalidDestinationException.class, "No durable subscription exists", () -> session.unsubscribe("goes"));
        session.unsubscribe("stays");
    }

    private static Connection client(Scene scene) throws JMSException {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setClientID(scene.name);
        return scene.open(factory);
    }

    private static void send(Scene scene, String... texts) throws JMSException {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.topic);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
        connection.close();
    }
}
