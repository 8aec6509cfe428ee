import java.util.LinkedHashSet;
import java.util.Set;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** Virtual and removed destinations while their broker is killed and another one takes over. */
class DestinationFailoverChecks {
    /** Each queue has all that was sent, once, whether its consumers were there before or are back yet. */
    static void aVirtualTopic(Scene scene) throws Exception {
        Queue[] queues = new Queue[2];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new ActiveMQQueue("Consumer." + i + ".VirtualTopic." + scene.name);
            Connection connection = scene.open();
            connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(queues[i]);
            connection.close();
        }
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(new ActiveMQTopic("VirtualTopic." + scene.name));
        Set<String> sent = new LinkedHashSet<>();
        for (int i = 1; i <= 100; i++) {
            if (i == 50) {
                Fault.kill();
            }
            producer.send(session.createTextMessage("" + i));
            sent.add("" + i);
        }
        for (Queue queue : queues) {
            Scene.check(scene.left(queue), String.join(" ", sent));
        }
    }

    /** A queue that nobody has used yet is fed by the broker that takes over. */
    static void anEmptyQueueOfAVirtualTopic(Scene scene) throws Exception {
        Queue queue = new ActiveMQQueue("Consumer.A.VirtualTopic." + scene.name);
        Connection connection = scene.open();
        connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(queue);
        connection.close();
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(new ActiveMQTopic("VirtualTopic." + scene.name));
        Fault.kill();
        producer.send(session.createTextMessage("1"));
        Scene.check(scene.left(queue), "1");
    }

    static void aRemovedQueueStaysAway(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        ActiveMQConnection connection = (ActiveMQConnection) scene.open();
        connection.destroyDestination((ActiveMQQueue) scene.queue);
        scene.send("4");
        Fault.kill();
        Scene.check(scene.left().replace("/2", ""), "4");
    }
}
