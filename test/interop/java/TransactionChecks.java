import javax.jms.*;
import org.apache.activemq.command.ActiveMQQueue;

/** Transacted sessions: all of it, or nothing (JMS 1.1 §4.4.7). */
class TransactionChecks {
    static void sendsExistFromTheCommitOn(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        producer.send(session.createTextMessage("gone"));
        session.rollback();
        producer.send(session.createTextMessage("1"));
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(session.createTextMessage("2"));
        Scene.nothing(consumer);
        session.commit();
        Scene.check(Scene.next(consumer, 2), "1 2");
    }

    static void whatIsConsumedAndSentGoesTogether(Scene scene) throws Exception {
        Queue to = new ActiveMQQueue(scene.name + ".to");
        MessageConsumer there = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(to);
        scene.send("1");
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        MessageProducer producer = session.createProducer(to);
        producer.send(session.createTextMessage("from " + Scene.next(consumer, 1)));
        session.rollback();
        Scene.nothing(there);
        producer.send(session.createTextMessage("from " + Scene.next(consumer, 1)));
        session.commit();
        Scene.check(Scene.next(there, 1), "from 1/2");
        session.close();
        Scene.check(scene.left(), "");
    }

    static void aClosedSessionRollsBack(Scene scene) throws Exception {
        scene.send("1");
        Session session = scene.session(Session.SESSION_TRANSACTED);
        Scene.next(session.createConsumer(scene.queue));
        session.createProducer(scene.queue).send(session.createTextMessage("gone"));
        session.close();
        Scene.check(scene.left(), "1/2");
    }

    static void topicsTakePart(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer subscriber = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.topic);
        MessageProducer producer = session.createProducer(scene.topic);
        producer.send(session.createTextMessage("gone"));
        session.rollback();
        producer.send(session.createTextMessage("kept"));
        Scene.nothing(subscriber);
        session.commit();
        Scene.check(Scene.next(subscriber, 1), "kept");
    }
}
