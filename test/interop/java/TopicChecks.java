import javax.jms.*;

/** Topics without durable subscribers. */
class TopicChecks {
    static void everySubscriberGetsEverything(Scene scene) throws Exception {
        MessageConsumer[] subscribers = new MessageConsumer[5];
        for (int i = 0; i < subscribers.length; i++) {
            subscribers[i] = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.topic);
        }
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.topic);
        for (int i = 1; i <= 3; i++) {
            producer.send(session.createTextMessage("" + i));
        }
        for (MessageConsumer subscriber : subscribers) {
            Scene.check(Scene.next(subscriber, 3), "1 2 3");
        }
        Scene.nothing(session.createConsumer(scene.topic));
    }

    static void noLocal(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer notLocal = session.createConsumer(scene.topic, null, true);
        MessageConsumer local = session.createConsumer(scene.topic, null, false);
        session.createProducer(scene.topic).send(session.createTextMessage("own"));
        Session other = scene.session(Session.AUTO_ACKNOWLEDGE);
        other.createProducer(scene.topic).send(other.createTextMessage("foreign"));
        Scene.check(Scene.next(local, 2), "own foreign");
        Scene.check(Scene.next(notLocal, 1), "foreign");
    }

    static void selector(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer some = session.createConsumer(scene.topic, "JMSType = 'wanted'");
        MessageProducer producer = session.createProducer(scene.topic);
        for (String type : new String[] {"wanted", "other", "wanted"}) {
            Message message = session.createTextMessage(type);
            message.setJMSType(type);
            producer.send(message);
        }
        Scene.check(Scene.next(some, 2), "wanted wanted");
    }

    /** More than the prefetch: what waits comes as the subscriber goes on. */
    static void manyForASmallPrefetch(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer subscriber = session.createConsumer(session.createTopic(scene.name + "?consumer.prefetchSize=2"));
        MessageProducer producer = session.createProducer(scene.topic);
        for (int i = 0; i < 100; i++) {
            producer.send(session.createTextMessage("" + i));
        }
        for (int i = 0; i < 100; i++) {
            Scene.check(Scene.next(subscriber, 1), i);
        }
    }
}
