import javax.jms.*;

/** Exclusive consumers, and priorities among consumers. */
class ExclusiveChecks {
    private static MessageConsumer consumer(Scene scene, Connection connection, String options) throws JMSException {
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        return session.createConsumer(session.createQueue(scene.name + "?" + options));
    }

    static void oneGetsAll(Scene scene) throws Exception {
        MessageConsumer plain = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        Connection first = scene.open();
        MessageConsumer one = consumer(scene, first, "consumer.exclusive=true");
        MessageConsumer two = consumer(scene, scene.open(), "consumer.exclusive=true");
        scene.send("1", "2", "3");
        Scene.check(Scene.next(one, 3), "1 2 3");
        Scene.nothing(two);
        first.close();
        scene.send("4", "5");
        Scene.check(Scene.next(two, 2), "4 5");
        Scene.nothing(plain);
    }

    static void higherPriorityTakesOver(Scene scene) throws Exception {
        MessageConsumer low = consumer(scene, scene.open(), "consumer.exclusive=true&consumer.priority=1");
        Connection second = scene.open();
        MessageConsumer high = consumer(scene, second, "consumer.exclusive=true&consumer.priority=2");
        scene.send("1", "2");
        Scene.check(Scene.next(high, 2), "1 2");
        second.close();
        scene.send("3");
        Scene.check(Scene.next(low, 1), "3");
    }

    static void priorityAmongConsumers(Scene scene) throws Exception {
        MessageConsumer low = consumer(scene, scene.open(), "consumer.priority=1");
        MessageConsumer high = consumer(scene, scene.open(), "consumer.priority=5&consumer.prefetchSize=2");
        scene.send("1", "2", "3");
        Scene.check(Scene.next(low, 1), "3");
        Scene.check(Scene.next(high, 2), "1 2");
    }
}
