import javax.jms.*;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** Composite destinations, of the broker's configuration and of a client's making. */
class CompositeChecks {
    private static void send(Scene scene, Destination to, String... texts) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(to);
        for (String text : texts) {
            TextMessage message = session.createTextMessage(text);
            message.setStringProperty("odd", Integer.parseInt(text) % 2 == 1 ? "yes" : "no");
            producer.send(message);
        }
    }

    static void forwardsOnly(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer topic = session.createConsumer(new ActiveMQTopic("SECOND"));
        send(scene, new ActiveMQQueue("BOTH"), "1", "2");
        ActiveMQMessage message = (ActiveMQMessage) Scene.next(topic);
        Scene.check(message.getJMSDestination(), new ActiveMQTopic("SECOND"));
        Scene.check(message.getOriginalDestination(), new ActiveMQQueue("BOTH"));
        Scene.check(scene.left(new ActiveMQQueue("FIRST")), "1 2");
        Scene.check(scene.left(new ActiveMQQueue("BOTH")), "");
    }

    static void keepsItsOwn(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer own = session.createConsumer(new ActiveMQTopic("KEEPS"));
        send(scene, new ActiveMQTopic("KEEPS"), "1");
        Scene.check(Scene.next(own, 1), "1");
        Scene.check(scene.left(new ActiveMQQueue("COPY")), "1");
    }

    static void filtered(Scene scene) throws Exception {
        send(scene, new ActiveMQQueue("FILTERED"), "1", "2", "3");
        Scene.check(scene.left(new ActiveMQQueue("ODD")), "1 3");
        Scene.check(scene.left(new ActiveMQQueue("EVEN")), "2");
    }

    static void orStays(Scene scene) throws Exception {
        send(scene, new ActiveMQQueue("ELSE"), "1", "2");
        Scene.check(scene.left(new ActiveMQQueue("TAKEN")), "1");
        Scene.check(scene.left(new ActiveMQQueue("ELSE")), "2");
    }

    static void oneAfterAnother(Scene scene) throws Exception {
        send(scene, new ActiveMQQueue("CHAIN"), "1");
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        ActiveMQMessage message = (ActiveMQMessage) Scene.next(session.createConsumer(new ActiveMQQueue("LAST")));
        Scene.check(message.getOriginalDestination(), new ActiveMQQueue("BOTH.LINK"));
    }

    static void ofAClientsMaking(Scene scene) throws Exception {
        String name = scene.name;
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer topic = session.createConsumer(scene.topic);
        Queue composite = new ActiveMQQueue(name + ".a," + name + ".b,topic://" + name);
        send(scene, composite, "1");
        ActiveMQMessage message = (ActiveMQMessage) Scene.next(topic);
        Scene.check(message.getOriginalDestination(), composite);
        Scene.check(scene.left(new ActiveMQQueue(name + ".a")) + scene.left(new ActiveMQQueue(name + ".b")), "11");
    }

    /** Nothing stays in a queue that its consumers would not take. */
    static void selectorAware(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Queue queue = new ActiveMQQueue("Consumer.A.SELECTED." + scene.name);
        MessageConsumer odd = session.createConsumer(queue, "odd = 'yes'");
        send(scene, new ActiveMQTopic("SELECTED." + scene.name), "1", "2", "3");
        Scene.check(Scene.next(odd, 2), "1 3");
        odd.close();
        send(scene, new ActiveMQTopic("SELECTED." + scene.name), "4", "5");
        Scene.check(scene.left(queue), "");
    }
}
