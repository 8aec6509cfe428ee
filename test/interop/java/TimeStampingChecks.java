import javax.jms.*;

/** A broker that sets the times of messages: they expire after a minute if they say nothing, and after two at the latest. */
class TimeStampingChecks {
    static void withoutATimeToLive(Scene scene) throws Exception {
        Scene.check(lifetime(scene, 0), 60_000);
    }

    static void asItWants(Scene scene) throws Exception {
        Scene.check(lifetime(scene, 5_000), 5_000);
    }

    static void atTheLatest(Scene scene) throws Exception {
        Scene.check(lifetime(scene, 3_600_000), 120_000);
    }

    static void inATransaction(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        session.createProducer(scene.queue).send(scene.text(session, "1"));
        session.commit();
        Message got = Scene.next(session.createConsumer(scene.queue));
        Scene.check(got.getJMSExpiration() - got.getJMSTimestamp(), 60_000);
        session.commit();
    }

    /** Who wants no timestamp gets none. */
    static void unlessItWantsNone(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setDisableMessageTimestamp(true);
        producer.send(scene.text(session, "1"));
        Message got = Scene.next(session.createConsumer(scene.queue));
        Scene.check(got.getJMSTimestamp() + " " + got.getJMSExpiration(), "0 0");
    }

    /** How long a message lives at the broker that is to live for a time. */
    private static long lifetime(Scene scene, long live) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setTimeToLive(live);
        Message sent = scene.text(session, "1");
        producer.send(sent);
        Message got = Scene.next(session.createConsumer(scene.queue));
        Scene.check(got.getJMSTimestamp() >= sent.getJMSTimestamp(), true);
        return got.getJMSExpiration() - got.getJMSTimestamp();
    }
}
