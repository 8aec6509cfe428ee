import javax.jms.*;

/** What policies say of consumers. The queues have those of PolicyChecks.yaml. */
class PolicyChecks {
    /** Who asks for its client's default gets one message, which leaves the others to others. */
    static void prefetchOfOne(Scene scene) throws Exception {
        MessageConsumer idle = consumer(scene);
        scene.send("1", "2", "3");
        MessageConsumer busy = consumer(scene);
        Scene.check(Scene.next(busy, 2), "2 3");
        Scene.check(Scene.next(idle, 1), "1");
    }

    /** The client is told that it has to ask for each message; by ActiveMQ's broker only after its consumer is there. */
    static void prefetchOfNone(Scene scene) throws Exception {
        MessageConsumer idle = consumer(scene);
        scene.send("1", "2", "3");
        MessageConsumer busy = consumer(scene);
        Scene.check(pull(busy), "1");
        Scene.check(pull(busy), "2");
        Scene.check(pull(idle), "3");
        Scene.nothing(busy);
    }

    static void strictOrderDispatch(Scene scene) throws Exception {
        MessageConsumer first = consumer(scene);
        MessageConsumer second = consumer(scene);
        scene.send("1", "2", "3");
        Scene.check(Scene.next(first, 3), "1 2 3");
        Scene.nothing(second);
    }

    /** A pattern that is more specific wins over a wider one, whatever the order. */
    static void theMostSpecific(Scene scene) throws Exception {
        prefetchOfNone(scene);
    }

    static void prefetchOfATopic(Scene scene) throws Exception {
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.topic);
        MessageProducer producer = session.createProducer(scene.topic);
        MessageConsumer letters = scene.deadLetters();
        producer.send(scene.text(session, "1"));
        Message first = Scene.next(consumer);
        producer.send(scene.text(session, "2"));
        producer.setTimeToLive(50);
        producer.send(scene.text(session, "expiring")); // before there is room for it
        Thread.sleep(200);
        first.acknowledge();
        Scene.next(consumer).acknowledge();
        Scene.check(Scene.next(letters, 1), "expiring");
        Scene.nothing(consumer);
    }

    /** Asks until it gets one, since who has not been told yet does not ask. */
    private static String pull(MessageConsumer consumer) throws JMSException {
        for (long end = System.currentTimeMillis() + Scene.PATIENCE; System.currentTimeMillis() < end;) {
            Message message = consumer.receive(Scene.SILENCE);
            if (message != null) {
                return Scene.tell(message);
            }
        }
        throw new AssertionError("no message comes");
    }

    private static MessageConsumer consumer(Scene scene) throws JMSException {
        return scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
    }
}
