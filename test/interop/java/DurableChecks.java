import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQSession;
import org.apache.activemq.command.ActiveMQTopic;

/** Durable subscriptions (JMS 1.1 §6.11.1). */
class DurableChecks {
    static void backlogOfWhoWasOffline(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        send(scene, scene.topic, "before");
        session.createDurableSubscriber(scene.topic, "s").close();
        send(scene, scene.topic, "1", "2");
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.check(Scene.next(subscriber, 2), "1 2");
        send(scene, scene.topic, "3");
        Scene.check(Scene.next(subscriber, 1), "3");
        connection.close();
        send(scene, scene.topic, "4");
        connection = client(scene);
        subscriber = connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createDurableSubscriber(scene.topic, "s");
        Scene.check(Scene.next(subscriber, 1), "4");
        Scene.nothing(subscriber);
    }

    static void severalOfOneClientAndOfOthers(Scene scene) throws Exception {
        List<MessageConsumer> subscribers = new ArrayList<>();
        for (String client : new String[] {"a", "b"}) {
            Session session = client(scene, client).createSession(false, Session.AUTO_ACKNOWLEDGE);
            subscribers.add(session.createDurableSubscriber(scene.topic, "s"));
            subscribers.add(session.createDurableSubscriber(scene.topic, "t"));
        }
        subscribers.add(scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.topic));
        send(scene, scene.topic, "1", "2");
        for (MessageConsumer subscriber : subscribers) {
            Scene.check(Scene.next(subscriber, 2), "1 2");
        }
    }

    static void anotherSelectorIsAnotherSubscription(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "s", "number < 3", false).close();
        number(scene, 1, 2, 3, 4);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s", "number > 2", false);
        Scene.nothing(subscriber);
        number(scene, 1, 2, 3, 4);
        Scene.check(Scene.next(subscriber, 2), "3 4");
        subscriber.close();
        number(scene, 5);
        subscriber = session.createDurableSubscriber(scene.topic, "s", "number > 2", false);
        Scene.check(Scene.next(subscriber, 1), "5");
        subscriber.close();
        number(scene, 6);
        subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.nothing(subscriber);
        number(scene, 0);
        Scene.check(Scene.next(subscriber, 1), "0");
    }

    static void anotherTopicIsAnotherSubscription(Scene scene) throws Exception {
        Topic other = new ActiveMQTopic(scene.name + ".other");
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "s").close();
        send(scene, scene.topic, "old");
        MessageConsumer subscriber = session.createDurableSubscriber(other, "s");
        send(scene, scene.topic, "old, too");
        send(scene, other, "new");
        Scene.check(Scene.next(subscriber, 1), "new");
        subscriber.close();
        Scene.nothing(session.createDurableSubscriber(scene.topic, "s"));
    }

    static void twiceAtOnce(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.refused(JMSException.class, "Durable consumer is in use for client: " + scene.name + " and subscriptionName: s",
            () -> connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createDurableSubscriber(scene.topic, "s"));
        send(scene, scene.topic, "1");
        Scene.check(Scene.next(subscriber, 1), "1");
    }

    static void clientIdIsTaken(Scene scene) throws Exception {
        client(scene);
        Scene.refused(InvalidClientIDException.class, scene.name, () -> client(scene));
    }

    static void unsubscribe(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Scene.refused(InvalidDestinationException.class,
            "No durable subscription exists for clientID: " + scene.name + " and subscriptionName: s", () -> session.unsubscribe("s"));
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.refused(JMSException.class, "Durable consumer is in use", () -> session.unsubscribe("s"));
        subscriber.close();
        send(scene, scene.topic, "1");
        session.unsubscribe("s");
        Scene.nothing(session.createDurableSubscriber(scene.topic, "s"));
    }

    static void advisoryTopic(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Scene.refused(JMSException.class, "Cannot create a durable subscription for an advisory Topic",
            () -> session.createDurableSubscriber(session.createTopic("ActiveMQ.Advisory.Connection"), "s"));
    }

    static void invalidSelector(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Scene.refused(InvalidSelectorException.class, "", () -> session.createDurableSubscriber(scene.topic, "s", "a = ", false));
        Scene.refused(InvalidDestinationException.class, "No durable subscription exists", () -> session.unsubscribe("s"));
    }

    static void noLocal(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s", null, true);
        MessageProducer own = session.createProducer(scene.topic);
        own.send(session.createTextMessage("own"));
        send(scene, scene.topic, "foreign");
        Scene.check(Scene.next(subscriber, 1), "foreign");
        subscriber.close();
        own.send(session.createTextMessage("own while offline"));
        send(scene, scene.topic, "foreign while offline");
        Scene.check(Scene.next(session.createDurableSubscriber(scene.topic, "s", null, true), 1), "foreign while offline");
    }

    static void wildcard(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic all = new ActiveMQTopic(scene.name + ".>");
        session.createDurableSubscriber(all, "s").close();
        for (String leaf : new String[] {"a", "b", "a.c"}) {
            send(scene, new ActiveMQTopic(scene.name + "." + leaf), leaf);
        }
        MessageConsumer subscriber = session.createDurableSubscriber(all, "s");
        Set<String> got = new TreeSet<>();
        for (int i = 0; i < 3; i++) {
            got.add(Scene.next(subscriber, 1));
        }
        Scene.check(got, "[a, a.c, b]");
        send(scene, new ActiveMQTopic(scene.name + ".new"), "new");
        Scene.check(Scene.next(subscriber, 1), "new");
    }

    /** It is kept while the broker runs, in no order with what is persistent (JMS 1.1 §4.4.10.2). */
    static void whatIsNotPersistent(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "s").close();
        Session other = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = other.createProducer(scene.topic);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(other.createTextMessage("1"));
        producer.setDeliveryMode(DeliveryMode.PERSISTENT);
        producer.send(other.createTextMessage("2"));
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.check(new TreeSet<>(List.of(Scene.next(subscriber, 1), Scene.next(subscriber, 1))), "[1, 2]");
    }

    static void rollbackAndReconnect(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        send(scene, scene.topic, "1", "2", "3");
        Scene.check(Scene.next(subscriber, 2), "1 2");
        session.rollback();
        Scene.check(Scene.next(subscriber, 1), "1/2");
        session.commit();
        Scene.check(Scene.next(subscriber, 1), "2/2");
        connection.close();
        session = client(scene).createSession(true, Session.SESSION_TRANSACTED);
        subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.check(((TextMessage) Scene.next(subscriber)).getText(), "2");
        Scene.check(Scene.next(subscriber, 1), "3");
        session.commit();
        Scene.nothing(subscriber);
    }

    static void clientAcknowledge(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        send(scene, scene.topic, "1", "2", "3");
        Scene.next(subscriber);
        Scene.next(subscriber).acknowledge();
        Scene.check(Scene.next(subscriber, 1), "3");
        connection.close();
        Scene.check(Scene.next(client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE).createDurableSubscriber(scene.topic, "s"), 1), "3/2");
    }

    static void individualAcknowledge(Scene scene) throws Exception {
        Connection connection = client(scene);
        Session session = connection.createSession(false, ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        send(scene, scene.topic, "1", "2", "3", "4");
        Scene.next(subscriber);
        Scene.next(subscriber).acknowledge();
        Scene.next(subscriber);
        Scene.next(subscriber).acknowledge();
        connection.close();
        subscriber = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE).createDurableSubscriber(scene.topic, "s");
        Scene.check(Scene.next(subscriber, 2), "1/2 3/2");
        Scene.nothing(subscriber);
    }

    static void dupsOkAndOptimized(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = factory(scene, scene.name);
        factory.setOptimizeAcknowledge(true);
        for (int mode : new int[] {Session.DUPS_OK_ACKNOWLEDGE, Session.AUTO_ACKNOWLEDGE}) {
            Connection connection = scene.open(factory);
            Session session = connection.createSession(false, mode);
            MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
            for (int i = 0; i < 300; i++) {
                send(scene, scene.topic, "" + i);
                Scene.check(Scene.next(subscriber, 1), i);
            }
            subscriber.close();
            Scene.nothing(session.createDurableSubscriber(scene.topic, "s"));
            connection.close();
        }
    }

    static void transactionOfSends(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Session sending = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = sending.createProducer(scene.topic);
        producer.send(sending.createTextMessage("1"));
        producer.send(sending.createTextMessage("2"));
        Scene.nothing(subscriber);
        sending.rollback();
        producer.send(sending.createTextMessage("3"));
        producer.send(sending.createTextMessage("4"));
        sending.commit();
        Scene.check(Scene.next(subscriber, 2), "3 4");
        Scene.nothing(subscriber);
    }

    static void smallPrefetchAndNone(Scene scene) throws Exception {
        for (int prefetch : new int[] {1, 0}) {
            Connection connection = client(scene);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            Topic topic = session.createTopic(scene.name + "?consumer.prefetchSize=" + prefetch);
            session.createDurableSubscriber(topic, "s").close();
            for (int i = 0; i < 20; i++) {
                send(scene, scene.topic, "" + i);
            }
            MessageConsumer subscriber = session.createDurableSubscriber(topic, "s");
            for (int i = 0; i < 20; i++) {
                Scene.check(Scene.next(subscriber, 1), i);
            }
            Scene.check(subscriber.receiveNoWait(), null);
            connection.close();
        }
    }

    /** More than a broker pages in at once, of which every other one is wanted. */
    static void deepBacklog(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "s", "odd", false).close();
        Session sending = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = sending.createProducer(scene.topic);
        for (int i = 0; i < 1000; i++) {
            Message message = sending.createTextMessage("" + i);
            message.setBooleanProperty("odd", i % 2 == 1);
            producer.send(message);
        }
        sending.commit();
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s", "odd", false);
        for (int i = 1; i < 1000; i += 2) {
            Scene.check(Scene.next(subscriber, 1), i);
        }
        Scene.nothing(subscriber);
    }

    static void expiredBacklog(Scene scene) throws Exception {
        Session session = client(scene).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createDurableSubscriber(scene.topic, "s").close();
        Session sending = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = sending.createProducer(scene.topic);
        producer.send(sending.createTextMessage("short"), DeliveryMode.PERSISTENT, 4, 300);
        producer.send(sending.createTextMessage("long"), DeliveryMode.PERSISTENT, 4, 0);
        Thread.sleep(500);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Scene.check(Scene.next(subscriber, 1), "long");
        Scene.nothing(subscriber);
    }

    static void poison(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = factory(scene, scene.name);
        factory.getRedeliveryPolicy().setMaximumRedeliveries(1);
        Session session = scene.open(factory).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer subscriber = session.createDurableSubscriber(scene.topic, "s");
        Session other = client(scene, scene.name + ".other").createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer good = other.createDurableSubscriber(scene.topic, "s");
        send(scene, scene.topic, "1", "2");
        Scene.check(Scene.next(subscriber, 1), "1");
        session.rollback();
        Scene.check(Scene.next(subscriber, 1), "1/2");
        session.rollback();
        Scene.check(((TextMessage) Scene.next(subscriber)).getText(), "2");
        session.commit();
        Scene.check(Scene.next(scene.deadLetters(), 1), "1");
        Scene.check(Scene.next(good, 2), "1 2");
    }

    private static Connection client(Scene scene) throws JMSException {
        return client(scene, scene.name);
    }

    private static Connection client(Scene scene, String id) throws JMSException {
        return scene.open(factory(scene, id));
    }

    private static ActiveMQConnectionFactory factory(Scene scene, String id) {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setClientID(id);
        return factory;
    }

    private static void send(Scene scene, Topic topic, String... texts) throws JMSException {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(topic);
        for (String text : texts) {
            producer.send(scene.text(session, text));
        }
        connection.close();
    }

    private static void number(Scene scene, int... numbers) throws JMSException {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.topic);
        for (int number : numbers) {
            Message message = session.createTextMessage("" + number);
            message.setIntProperty("number", number);
            producer.send(message);
        }
        connection.close();
    }
}
