import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** How destinations go. */
class RemovalChecks {
    static void queue(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        ActiveMQConnection connection = (ActiveMQConnection) scene.open();
        MessageConsumer consumer = connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        Scene.next(consumer);
        Scene.refused(JMSException.class, "Destination: queue://" + scene.name + " still has an active subscription",
            () -> connection.destroyDestination((ActiveMQQueue) scene.queue));
        consumer.close();
        connection.destroyDestination((ActiveMQQueue) scene.queue);
        connection.destroyDestination((ActiveMQQueue) scene.queue);
        scene.send("4");
        Scene.check(scene.left(), "4");
    }

    static void topic(Scene scene) throws Exception {
        ActiveMQConnection connection = (ActiveMQConnection) scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.topic);
        Scene.refused(JMSException.class, "still has an active subscription",
            () -> connection.destroyDestination((ActiveMQTopic) scene.topic));
        consumer.close();
        connection.destroyDestination((ActiveMQTopic) scene.topic);
        consumer = session.createConsumer(scene.topic);
        session.createProducer(scene.topic).send(session.createTextMessage("anew"));
        Scene.check(Scene.next(consumer, 1), "anew");
    }

    /** Clients see what comes and goes. */
    static void whatThereIs(Scene scene) throws Exception {
        ActiveMQConnection connection = (ActiveMQConnection) scene.open();
        var source = connection.getDestinationSource();
        scene.send("1");
        eventually(source.getQueues(), scene.queue, true);
        connection.destroyDestination((ActiveMQQueue) scene.queue);
        eventually(source.getQueues(), scene.queue, false);
    }

    private static void eventually(java.util.Set<ActiveMQQueue> queues, Queue queue, boolean there) throws Exception {
        for (long end = System.currentTimeMillis() + Scene.PATIENCE; queues.contains(queue) != there; Thread.sleep(10)) {
            Scene.check(System.currentTimeMillis() < end, true);
        }
    }
}
