import javax.jms.*;

/** Message groups: all of a group goes to one consumer, in order, until the producer closes it or the consumer is gone. */
class GroupChecks {
    private static void send(Scene scene, String... groupsAndTexts) throws JMSException {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        for (String text : groupsAndTexts) {
            Message message = session.createTextMessage(text);
            message.setStringProperty("JMSXGroupID", text.substring(0, 1));
            if (text.endsWith("!")) {
                message.setIntProperty("JMSXGroupSeq", -1);
            }
            producer.send(message);
        }
        connection.close();
    }

    static void eachGroupHasOneConsumer(Scene scene) throws Exception {
        MessageConsumer one = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        MessageConsumer two = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        send(scene, "a1", "b1", "a2", "b2", "b3", "a3");
        Scene.check(Scene.next(one, 3), "a1 a2 a3");
        Scene.check(Scene.next(two, 3), "b1 b2 b3");
        Scene.nothing(one);
        Scene.nothing(two);
    }

    static void theFirstSaysSo(Scene scene) throws Exception {
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        send(scene, "a1", "a2");
        Scene.check(Scene.next(consumer).getBooleanProperty("JMSXGroupFirstForConsumer"), true);
        Scene.check(Scene.next(consumer).getBooleanProperty("JMSXGroupFirstForConsumer"), false);
    }

    static void aClosedGroupIsFree(Scene scene) throws Exception {
        MessageConsumer one = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        MessageConsumer two = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        send(scene, "a1", "b1", "a2!", "c1", "a3");
        Scene.check(Scene.next(one, 3), "a1 a2! c1");
        Scene.check(Scene.next(two, 2), "b1 a3");
    }

    static void aGroupOutlivesItsConsumer(Scene scene) throws Exception {
        Connection first = scene.open();
        Session session = first.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer one = session.createConsumer(scene.queue);
        MessageConsumer two = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        send(scene, "a1", "a2", "a3");
        Scene.check(Scene.next(one, 2), "a1 a2");
        Scene.nothing(two);
        first.close();
        Scene.check(Scene.next(two, 3), "a1/2 a2/2 a3");
        send(scene, "a4");
        Scene.check(Scene.next(two, 1), "a4");
    }

    static void aRollbackStaysInTheGroup(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer one = session.createConsumer(scene.queue);
        MessageConsumer two = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        send(scene, "a1", "a2", "a3");
        Scene.check(Scene.next(one, 2), "a1 a2");
        session.rollback();
        Scene.check(Scene.next(one, 3), "a1/2 a2/2 a3");
        session.commit();
        Scene.nothing(two);
    }
}
