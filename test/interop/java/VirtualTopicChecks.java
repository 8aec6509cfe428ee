import javax.jms.*;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** Virtual topics, as they are without configuration: VirtualTopic.> feeds the queues Consumer.*.VirtualTopic.>. */
class VirtualTopicChecks {
    private static Topic virtual(Scene scene) {
        return new ActiveMQTopic("VirtualTopic." + scene.name);
    }

    private static Queue fed(Scene scene, String who) {
        return new ActiveMQQueue("Consumer." + who + ".VirtualTopic." + scene.name);
    }

    private static void publish(Scene scene, int mode, String... texts) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(virtual(scene));
        producer.setDeliveryMode(mode);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
    }

    /** Each application gets all, and its consumers share; plain subscribers get all, too. */
    static void eachQueueGetsAll(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer a = session.createConsumer(fed(scene, "A"));
        MessageConsumer b = session.createConsumer(fed(scene, "B"));
        MessageConsumer plain = session.createConsumer(virtual(scene));
        publish(scene, DeliveryMode.PERSISTENT, "1", "2");
        publish(scene, DeliveryMode.NON_PERSISTENT, "3");
        for (MessageConsumer consumer : new MessageConsumer[] {a, b, plain}) {
            Scene.check(Scene.next(consumer, 3), "1 2 3");
        }
        Scene.nothing(a);
    }

    static void whatCopiesTell(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(fed(scene, "A"));
        publish(scene, DeliveryMode.PERSISTENT, "1");
        ActiveMQMessage message = (ActiveMQMessage) Scene.next(consumer);
        Scene.check(message.getJMSDestination(), fed(scene, "A"));
        Scene.check(message.getOriginalDestination(), virtual(scene));
    }

    /** The queue keeps what is sent while its consumers are away. */
    static void keptWhileAway(Scene scene) throws Exception {
        Connection connection = scene.open();
        connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(fed(scene, "A"));
        connection.close();
        publish(scene, DeliveryMode.PERSISTENT, "1", "2");
        Scene.check(scene.left(fed(scene, "A")), "1 2");
    }

    static void inATransaction(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(fed(scene, "A"));
        Session sending = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = sending.createProducer(virtual(scene));
        producer.send(sending.createTextMessage("not to be"));
        sending.rollback();
        producer.send(sending.createTextMessage("1"));
        Scene.nothing(consumer);
        sending.commit();
        Scene.check(Scene.next(consumer, 1), "1");
        Scene.nothing(consumer);
    }

    /** A wildcard has a queue of its own, and shares those that it covers. */
    static void wildcardConsumers(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer wild = session.createConsumer(new ActiveMQQueue("Consumer.W.VirtualTopic." + scene.name + ".>"));
        Topic topic = new ActiveMQTopic("VirtualTopic." + scene.name + ".a");
        MessageProducer producer = session.createProducer(topic);
        producer.send(session.createTextMessage("1"));
        Scene.check(Scene.next(wild, 1), "1");
        MessageConsumer exact = session.createConsumer(new ActiveMQQueue("Consumer.W.VirtualTopic." + scene.name + ".a"));
        producer.send(session.createTextMessage("2"));
        int got = 0;
        for (MessageConsumer consumer : new MessageConsumer[] {wild, exact, wild}) {
            got += consumer.receive(1000) == null ? 0 : 1;
        }
        Scene.check(got, 2);
    }

    static void durableSubscribersToo(Scene scene) throws Exception {
        var factory = scene.factory();
        factory.setClientID(scene.name);
        Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer durable = session.createDurableSubscriber(virtual(scene), "s");
        MessageConsumer queue = session.createConsumer(fed(scene, "A"));
        publish(scene, DeliveryMode.PERSISTENT, "1");
        Scene.check(Scene.next(durable, 1) + Scene.next(queue, 1), "11");
    }
}
