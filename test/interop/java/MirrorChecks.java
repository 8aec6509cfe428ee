import javax.jms.*;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** Mirrored queues. */
class MirrorChecks {
    static void whatIsSentToAQueue(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer mirror = session.createConsumer(new ActiveMQTopic("VirtualTopic.Mirror." + scene.name));
        MessageConsumer fed = session.createConsumer(new ActiveMQQueue("Consumer.A.VirtualTopic.Mirror." + scene.name));
        scene.send("1", "2");
        Scene.check(Scene.next(mirror, 2), "1 2");
        Scene.check(Scene.next(fed, 2), "1 2");
        Scene.check(scene.left(), "1 2");
    }

    static void aTemporaryOneToo(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue queue = session.createTemporaryQueue();
        MessageConsumer mirror = session.createConsumer(new ActiveMQTopic("VirtualTopic.Mirror." + queue.getQueueName()));
        session.createProducer(queue).send(session.createTextMessage("1"));
        Scene.check(Scene.next(session.createConsumer(queue), 1), "1");
        Scene.check(Scene.next(mirror, 1), "1");
    }
}
