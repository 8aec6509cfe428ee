import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.jms.*;

/** Topic consumers that do not keep up, and what policies do about them and other slow ones. */
class SlowConsumerChecks {
    static void theOldest(Scene scene) throws Exception {
        Scene.check(rest(scene, "", 4, "1", "2", "3", "4", "5"), "1 4 5");
    }

    static void aMultipleOfThePrefetch(Scene scene) throws Exception {
        Scene.check(rest(scene, "", 4, "1", "2", "3", "4", "5"), "1 4 5");
    }

    static void theConsumersOwnLimit(Scene scene) throws Exception {
        Scene.check(rest(scene, "&consumer.maximumPendingMessageLimit=1", 4, "1", "2", "3"), "1 3");
    }

    /** A number at the end is the message's priority. */
    static void theLowestPriority(Scene scene) throws Exception {
        Scene.check(rest(scene, "", 4, "first4", "a5", "b1", "c1", "d3"), "first4 a5 d3");
    }

    /** All but the first letter of a text that has one is the value of its property. */
    static void allButTheNewestOfAProperty(Scene scene) throws Exception {
        Scene.check(rest(scene, "", 4, "1X", "2X", "3Y", "4X", "5X"), "1X 3Y 5X");
    }

    @Ours("Classic blocks the sender when the memory for what waits is full, and spools nothing while the broker has no temporary store")
    static void stopsNobody(Scene scene) throws Exception {
        Session slowSession = scene.session(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer slow = slowSession.createConsumer(slowSession.createTopic(scene.name + "?consumer.prefetchSize=1"));
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer quick = session.createConsumer(scene.topic);
        MessageProducer producer = session.createProducer(scene.topic);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        int count = 200;
        for (int i = 0; i < count; i++) {
            BytesMessage message = session.createBytesMessage();
            message.writeBytes(new byte[1 << 20]);
            message.setIntProperty("n", i);
            producer.send(message);
            Scene.check(Scene.next(quick).getIntProperty("n"), i);
        }
        for (int i = 0; i < count; i++) {
            Message message = Scene.next(slow);
            Scene.check(message.getIntProperty("n"), i);
            message.acknowledge();
        }
    }

    static void isClosed(Scene scene) throws Exception {
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer slow = session.createConsumer(session.createTopic(scene.name + ".t?consumer.prefetchSize=2"));
        flood(scene);
        closed(slow);
        session.createConsumer(scene.topic); // the session goes on
    }

    static void isClosedWithItsConnection(Scene scene) throws Exception {
        Connection connection = scene.factory().createConnection(); // which cannot be closed well when it has failed
        connection.start();
        CountDownLatch failed = new CountDownLatch(1);
        connection.setExceptionListener(e -> failed.countDown());
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        session.createConsumer(session.createTopic(scene.name + ".t?consumer.prefetchSize=2"));
        flood(scene);
        if (scene.url.startsWith("failover")) {
            return; // the client comes back, and says nothing
        }
        Scene.check(failed.await(Scene.PATIENCE, TimeUnit.MILLISECONDS), true);
    }

    static void isClosedIfItAcknowledgesNothing(Scene scene) throws Exception {
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(scene.name + ".q");
        MessageConsumer idle = session.createConsumer(session.createQueue(scene.name + ".idle"));
        MessageConsumer slow = session.createConsumer(queue);
        Session sender = scene.session(Session.AUTO_ACKNOWLEDGE);
        sender.createProducer(queue).send(sender.createTextMessage("text"));
        Scene.next(slow);
        closed(slow);
        idle.receiveNoWait(); // is not closed
    }

    /** What a consumer with a prefetch of 1 gets that begins to consume when all is sent. */
    private static String rest(Scene scene, String options, int priority, String... texts) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer slow = session.createConsumer(session.createTopic(scene.name + ".t?consumer.prefetchSize=1" + options));
        Session sender = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = sender.createProducer(sender.createTopic(scene.name + ".t"));
        for (String text : texts) {
            TextMessage message = sender.createTextMessage(text);
            message.setStringProperty("stock", text.substring(1));
            char last = text.charAt(text.length() - 1);
            boolean ranked = text.length() > 1 && Character.isDigit(last);
            producer.send(message, DeliveryMode.PERSISTENT, ranked ? last - '0' : priority, 0);
            Thread.sleep(2); // the newest is told by its timestamp
        }
        StringBuilder got = new StringBuilder();
        for (Message m; (m = slow.receive(1000)) != null;) {
            got.append(got.length() > 0 ? " " : "").append(((TextMessage) m).getText());
        }
        return got.toString();
    }

    private static void flood(Scene scene) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createTopic(scene.name + ".t"));
        for (int i = 0; i < 10; i++) {
            producer.send(session.createTextMessage("" + i));
        }
    }

    private static void closed(MessageConsumer consumer) throws Exception {
        for (long until = System.currentTimeMillis() + Scene.PATIENCE; System.currentTimeMillis() < until;) {
            try {
                consumer.getMessageSelector(); // gets nothing, so that it stays slow
                Thread.sleep(20);
            } catch (javax.jms.IllegalStateException e) {
                return;
            }
        }
        throw new AssertionError("the slow consumer is not closed");
    }
}
