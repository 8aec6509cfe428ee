import java.util.concurrent.*;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;

/** Producers for whose messages there is no room. */
class FlowChecks {
    private static Future<?> sending(Session session, MessageProducer producer, String text) {
        return CompletableFuture.runAsync(() -> {
            try {
                producer.send(session.createTextMessage(text));
            } catch (JMSException e) {
                throw new CompletionException(e);
            }
        });
    }

    private static void waits(Future<?> send) throws Exception {
        try {
            send.get(300, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return;
        }
        throw new AssertionError("the send did not wait");
    }

    private static MessageProducer fill(Session session, Destination queue, int mode) throws JMSException {
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryMode(mode);
        producer.send(session.createTextMessage("fills it"));
        return producer;
    }

    private static ActiveMQConnectionFactory waiting(Scene scene) {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setAlwaysSyncSend(true);
        return factory;
    }

    static void waits(Scene scene) throws Exception {
        Session session = scene.open(waiting(scene)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = new ActiveMQQueue(scene.name + ".q");
        MessageProducer producer = fill(session, queue, DeliveryMode.PERSISTENT);
        Future<?> send = sending(session, producer, "waits");
        waits(send);
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(queue);
        Scene.check(Scene.next(consumer, 2), "fills it waits");
        send.get(5, TimeUnit.SECONDS);
    }

    /** A full queue is not in the way of another one of the same connection, nor of what it consumes. */
    static void oneQueue(Scene scene) throws Exception {
        Connection connection = scene.open(waiting(scene));
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = new ActiveMQQueue(scene.name + ".q");
        MessageProducer producer = fill(session, queue, DeliveryMode.NON_PERSISTENT);
        Future<?> send = sending(session, producer, "waits");
        waits(send);
        Session other = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        other.createProducer(new ActiveMQQueue(scene.name + "-other")).send(other.createTextMessage("passes"));
        Scene.check(Scene.next(other.createConsumer(queue), 2), "fills it waits");
        send.get(5, TimeUnit.SECONDS);
    }

    static void windows(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setProducerWindowSize(4096);
        factory.setUseAsyncSend(true);
        Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = new ActiveMQQueue(scene.name + ".q");
        MessageProducer producer = fill(session, queue, DeliveryMode.NON_PERSISTENT);
        Future<?> send = CompletableFuture.runAsync(() -> {
            try {
                for (int i = 0; i < 20; i++) {
                    producer.send(session.createTextMessage("x".repeat(1000)));
                }
            } catch (JMSException e) {
                throw new CompletionException(e);
            }
        });
        waits(send);
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(queue);
        for (int i = 0; i < 21; i++) {
            Scene.next(consumer);
        }
        send.get(5, TimeUnit.SECONDS);
    }

    static void fails(Scene scene) throws Exception {
        Session session = scene.open(waiting(scene)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = new ActiveMQQueue(scene.name + ".q");
        MessageProducer producer = fill(session, queue, DeliveryMode.NON_PERSISTENT);
        Scene.refused(ResourceAllocationException.class, "Usage Manager Memory Limit reached on queue://" + scene.name + ".q",
            () -> producer.send(session.createTextMessage("refused")));
        Scene.check(scene.left(queue), "fills it");
        producer.send(session.createTextMessage("goes on"));
        Scene.check(scene.left(queue), "goes on");
    }

    @Ours("Classic holds it for ever when the timeout is a policy's and not the whole broker's")
    static void failsLater(Scene scene) throws Exception {
        Session session = scene.open(waiting(scene)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = fill(session, new ActiveMQQueue(scene.name + ".q"), DeliveryMode.NON_PERSISTENT);
        Scene.refused(ResourceAllocationException.class, "Usage Manager Memory Limit Wait Timeout", () -> producer.send(session.createTextMessage("late")));
    }

    @Ours("on Classic the commit of what was refused succeeds without it")
    static void inATransaction(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(new ActiveMQQueue("FlowChecks.fails.transacted." + scene.name));
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(session.createTextMessage("1"));
        session.commit();
        producer.send(session.createTextMessage("2"));
        Scene.refused(TransactionRolledBackException.class, "Usage Manager Memory Limit reached", session::commit);
    }
}
