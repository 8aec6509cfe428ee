import javax.jms.*;

/** Consumers that get what was sent before they came, by the topic's recovery policy. */
class RetroactiveChecks {
    private static final String LATE = "?consumer.retroactive=true";

    static void theLastImage(Scene scene) throws Exception {
        Session session = sent(scene, ".t");
        Scene.nothing(session.createConsumer(session.createTopic(scene.name + ".t")));
        MessageConsumer late = session.createConsumer(session.createTopic(scene.name + ".t" + LATE));
        Scene.check(Scene.next(late, 1), "5");
        session.createProducer(session.createTopic(scene.name + ".t")).send(session.createTextMessage("6"));
        Scene.check(Scene.next(late, 1), "6");
    }

    static void theLastImageOfAPattern(Scene scene) throws Exception {
        Session session = sent(scene, ".a");
        MessageConsumer late = session.createConsumer(session.createTopic(scene.name + ".>" + LATE));
        Scene.check(Scene.next(late, 1), "5");
        Scene.nothing(late);
    }

    static void aNumberOfMessages(Scene scene) throws Exception {
        Session session = sent(scene, ".t");
        Scene.check(Scene.next(session.createConsumer(session.createTopic(scene.name + ".t" + LATE)), 3), "3 4 5");
    }

    static void aSize(Scene scene) throws Exception {
        Session session = sent(scene, ".t");
        MessageConsumer late = session.createConsumer(session.createTopic(scene.name + ".t" + LATE));
        Scene.check(Scene.next(late, 2), "4 5");
        Scene.nothing(late);
    }

    static void aTime(Scene scene) throws Exception {
        Session session = sent(scene, ".t");
        Scene.check(Scene.next(session.createConsumer(session.createTopic(scene.name + ".t" + LATE)), 5), "1 2 3 4 5");
    }

    static void always(Scene scene) throws Exception {
        Session session = sent(scene, ".t");
        Scene.check(Scene.next(session.createConsumer(session.createTopic(scene.name + ".t")), 1), "5");
    }

    static void withASelector(Scene scene) throws Exception {
        Session session = sent(scene, ".aTime.t");
        Topic topic = session.createTopic("RetroactiveChecks.aTime." + scene.name + LATE);
        MessageProducer producer = session.createProducer(session.createTopic("RetroactiveChecks.aTime." + scene.name));
        for (String kind : new String[] {"no", "yes", "no"}) {
            Message message = session.createTextMessage(kind);
            message.setJMSType(kind);
            producer.send(message);
        }
        MessageConsumer late = session.createConsumer(topic, "JMSType = 'yes'");
        Scene.check(Scene.next(late, 1), "yes");
        Scene.nothing(late);
    }

    /** On every topic a sender may have a message retained. */
    static void retainedMessages(Scene scene) throws Exception {
        retained(scene);
    }

    @Ours("Classic fails at a message without a body")
    static void theEndOfARetainedMessage(Scene scene) throws Exception {
        Session session = retained(scene);
        Message end = session.createMessage();
        end.setBooleanProperty("ActiveMQ.Retain", true);
        session.createProducer(scene.topic).send(end);
        Scene.nothing(session.createConsumer(session.createTopic(scene.name + LATE)));
    }

    private static Session retained(Scene scene) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.topic);
        TextMessage retained = session.createTextMessage("retained");
        retained.setBooleanProperty("ActiveMQ.Retain", true);
        producer.send(retained);
        producer.send(session.createTextMessage("not retained"));
        Topic late = session.createTopic(scene.name + LATE);
        Message message = Scene.next(session.createConsumer(late));
        Scene.check(((TextMessage) message).getText(), "retained");
        Scene.check(message.getBooleanProperty("ActiveMQ.Retained"), true);
        Scene.check(message.propertyExists("ActiveMQ.Retain"), false);
        return session;
    }

    /** Sends 1 to 5 to a topic, to which nobody listens. */
    private static Session sent(Scene scene, String suffix) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createTopic(scene.name + suffix));
        for (int i = 1; i <= 5; i++) {
            producer.send(session.createTextMessage("" + i));
        }
        return session;
    }
}
