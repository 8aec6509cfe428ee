import javax.jms.*;

/** Temporary destinations: request and reply, and whose they are (JMS 1.1 §4.4.3). */
class TemporaryChecks {
    static void requestAndReply(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer answers = session.createConsumer(replies);
        Session service = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer requests = service.createConsumer(scene.queue);
        MessageProducer anywhere = service.createProducer(null);
        for (String question : new String[] {"1", "2"}) {
            Message request = session.createTextMessage(question);
            request.setJMSReplyTo(replies);
            request.setJMSCorrelationID("about " + question);
            session.createProducer(scene.queue).send(request);
            Message asked = Scene.next(requests);
            Message answer = service.createTextMessage("answer to " + Scene.tell(asked));
            answer.setJMSCorrelationID(asked.getJMSCorrelationID());
            anywhere.send(asked.getJMSReplyTo(), answer);
            Message answered = Scene.next(answers);
            Scene.check(Scene.tell(answered) + ", " + answered.getJMSCorrelationID(), "answer to " + question + ", about " + question);
        }
    }

    static void topic(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        TemporaryTopic topic = session.createTemporaryTopic();
        MessageConsumer one = session.createConsumer(topic);
        MessageConsumer two = session.createConsumer(topic);
        Message request = session.createMessage();
        request.setJMSReplyTo(topic);
        session.createProducer(scene.queue).send(request);
        Session other = scene.session(Session.AUTO_ACKNOWLEDGE);
        Destination replyTo = Scene.next(other.createConsumer(scene.queue)).getJMSReplyTo();
        other.createProducer(replyTo).send(other.createTextMessage("news"));
        Scene.check(Scene.next(one, 1) + Scene.next(two, 1), "newsnews");
    }

    static void ofAnotherConnection(Scene scene) throws Exception {
        TemporaryQueue theirs = scene.session(Session.AUTO_ACKNOWLEDGE).createTemporaryQueue();
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Scene.refused(InvalidDestinationException.class, "another Connection", () -> session.createConsumer(theirs));
    }

    static void withConsumersCannotGo(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue queue = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(queue);
        Scene.refused(JMSException.class, "consumer", queue::delete);
        consumer.close();
        queue.delete();
        MessageProducer producer = session.createProducer(null);
        Scene.refused(InvalidDestinationException.class, "deleted", () -> producer.send(queue, session.createMessage()));
    }

    /**
     * Other connections learn that it is gone, a moment later. Until then the broker refuses, by a name that jakarta's client does not
     * know in every version of the protocol.
     */
    static void goWithTheirConnection(Scene scene) throws Exception {
        Connection owner = scene.open();
        TemporaryQueue queue = owner.createSession(false, Session.AUTO_ACKNOWLEDGE).createTemporaryQueue();
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(null);
        Scene.eventually(() -> producer.send(queue, session.createMessage())); // of the queue, too, it learns a moment later
        owner.close();
        Scene.refused(InvalidDestinationException.class, "", () -> {
            for (long end = System.currentTimeMillis() + Scene.PATIENCE; System.currentTimeMillis() < end; Thread.sleep(10)) {
                try {
                    producer.send(queue, session.createMessage());
                } catch (InvalidDestinationException e) {
                    throw e;
                } catch (JMSException e) {
                    Scene.check(e.getMessage().contains("does not exist"), true);
                }
            }
        });
    }
}
