import java.util.concurrent.*;
import javax.jms.*;

/** A store that is full holds who adds to it, and nobody else. */
@Ours("Classic counts the files of its store, whose size says little of the messages in them")
class StoreLimitChecks {
    static void producersWaitAndConsumersDrain(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        Future<?> sends = CompletableFuture.runAsync(() -> {
            try {
                for (int i = 0; i < 30; i++) {
                    producer.send(session.createTextMessage("x".repeat(10_000)));
                }
            } catch (JMSException e) {
                throw new CompletionException(e);
            }
        });
        try {
            sends.get(1, TimeUnit.SECONDS);
            throw new AssertionError("the store is never full");
        } catch (TimeoutException e) {
            // as it should be
        }
        Session other = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer fleeting = other.createProducer(scene.topic);
        MessageConsumer subscriber = other.createConsumer(scene.topic);
        fleeting.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        fleeting.send(other.createTextMessage("passes"));
        Scene.check(Scene.next(subscriber, 1), "passes");
        MessageConsumer consumer = other.createConsumer(scene.queue);
        for (int i = 0; i < 30; i++) {
            Scene.next(consumer);
        }
        sends.get(5, TimeUnit.SECONDS);
    }
}
