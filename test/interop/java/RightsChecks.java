import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** Who may do what: ann of the users, guest of the guests, and system of the admins. */
class RightsChecks {
    /** A session of a user, whose password is the name. */
    private static Session session(Scene scene, String user) throws JMSException {
        return session(scene, user, Session.AUTO_ACKNOWLEDGE);
    }

    private static Session session(Scene scene, String user, int mode) throws JMSException {
        return scene.open(new ActiveMQConnectionFactory(user, user, scene.url)).createSession(mode == Session.SESSION_TRANSACTED, mode);
    }

    private static ActiveMQQueue queue(Scene scene, String below) {
        return new ActiveMQQueue(below + "." + scene.name);
    }

    private static void denied(String what, Scene.Action action) throws Exception {
        Scene.refused(JMSSecurityException.class, "is not authorized to " + what, action);
        try {
            action.run();
        } catch (JMSException e) {
            Scene.check(e.getCause().getClass(), SecurityException.class);
        }
    }

    private static void send(Session session, Destination to, String text) throws JMSException {
        session.createProducer(null).send(to, session.createTextMessage(text));
    }

    static void eachDoesWhatItMay(Scene scene) throws Exception {
        Session ann = session(scene, "ann");
        Session guest = session(scene, "guest");
        send(ann, queue(scene, "USERS"), "mine");
        Scene.check(Scene.next(ann.createConsumer(queue(scene, "USERS")), 1), "mine");
        send(ann, queue(scene, "BOTH"), "from ann");
        Scene.check(Scene.next(guest.createConsumer(queue(scene, "BOTH")), 1), "from ann");
        send(guest, queue(scene, "OPEN"), "open");
        Scene.check(Scene.next(ann.createConsumer(queue(scene, "OPEN")), 1), "open");
    }

    static void andNothingElse(Scene scene) throws Exception {
        Session ann = session(scene, "ann");
        Session guest = session(scene, "guest");
        ActiveMQQueue users = queue(scene, "USERS");
        ActiveMQQueue both = queue(scene, "BOTH");
        send(ann, users, "not for guests");
        denied("read from: queue://BOTH", () -> ann.createConsumer(both));
        denied("read from: queue://BOTH", () -> Scene.next(ann.createConsumer(both)));
        denied("read from: queue://USERS", () -> guest.createBrowser(users).getEnumeration());
        denied("read from: topic://USERS", () -> guest.createConsumer(new ActiveMQTopic("USERS.T")));
        denied("read from: topic://OTHER", () -> ann.createConsumer(new ActiveMQTopic("OTHER")));
        denied("write to: queue://USERS", () -> guest.createProducer(users));
        denied("write to: queue://USERS", () -> send(guest, users, "denied"));
        denied("read from: queue://>", () -> ann.createConsumer(new ActiveMQQueue(">")));
        denied("write to: BOTH.X,USERS.X", () -> send(guest, new ActiveMQQueue("BOTH.X,USERS.X"), "denied"));
        Scene.check(Scene.next(ann.createConsumer(users), 1), "not for guests");
    }

    /** Its message says who is meant, and what. */
    private static void refusedWith(String text, Scene.Action action) throws Exception {
        Scene.refused(JMSSecurityException.class, text, action);
    }

    static void theTextSaysWhoAndWhat(Scene scene) throws Exception {
        Session guest = session(scene, "guest");
        String name = queue(scene, "USERS").getQualifiedName();
        refusedWith("User guest is not authorized to read from: " + name, () -> guest.createConsumer(queue(scene, "USERS")));
        refusedWith("User guest is not authorized to write to: " + name, () -> guest.createProducer(queue(scene, "USERS")));
    }

    /** A queue comes into being by who may create it. */
    static void usingIsCreating(Scene scene) throws Exception {
        Session ann = session(scene, "ann");
        denied("create: queue://OLD", () -> send(ann, queue(scene, "OLD"), "too early"));
        denied("create: queue://OLD", () -> ann.createConsumer(queue(scene, "OLD")));
        send(session(scene, "system"), queue(scene, "OLD"), "it is there");
        send(ann, queue(scene, "OLD"), "after it");
        Scene.check(Scene.next(ann.createConsumer(queue(scene, "OLD")), 2), "it is there after it");
    }

    static void removingNeedsTheRight(Scene scene) throws Exception {
        ActiveMQQueue queue = queue(scene, "OLD");
        Session system = session(scene, "system");
        send(system, queue, "here");
        ActiveMQConnection ann = (ActiveMQConnection) scene.open(new ActiveMQConnectionFactory("ann", "ann", scene.url));
        denied("remove: queue://OLD", () -> ann.destroyDestination(queue));
        Session session = ann.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue);
        Scene.check(Scene.next(consumer, 1), "here");
        consumer.close();
        ((ActiveMQConnection) scene.open(new ActiveMQConnectionFactory("system", "system", scene.url))).destroyDestination(queue);
        denied("create: queue://OLD", () -> send(session, queue, "too late"));
    }

    /** Durable subscribers read, too. */
    static void subscribingDurably(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("guest", "guest", scene.url);
        factory.setClientID(scene.name);
        Session guest = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        denied("read from: topic://USERS", () -> guest.createDurableSubscriber(new ActiveMQTopic("USERS.D"), "d"));
    }

    static void temporaryDestinations(Scene scene) throws Exception {
        Session ann = session(scene, "ann");
        Session guest = session(scene, "guest");
        TemporaryQueue replies = ann.createTemporaryQueue();
        MessageConsumer consumer = ann.createConsumer(replies);
        send(guest, new ActiveMQQueue("OPEN." + scene.name), "guests write");
        guest.createProducer(null).send(ActiveMQDestination.transform(replies), guest.createTextMessage("reply"));
        Scene.check(Scene.next(consumer, 1), "reply");
        denied("create: temp-queue://", guest::createTemporaryQueue);
    }

    /** A wildcard consumer does not see what it may not read, and is not refused for that. */
    static void wildcards(Scene scene) throws Exception {
        Session ann = session(scene, "ann");
        MessageConsumer all = ann.createConsumer(new ActiveMQQueue("USERS." + scene.name + ".>"));
        send(ann, new ActiveMQQueue("USERS." + scene.name + ".a"), "a");
        Scene.check(Scene.next(all, 1), "a");
    }

    /** A send that nobody waited for fails its transaction. */
    static void inATransaction(Scene scene) throws Exception {
        Session guest = session(scene, "guest", Session.SESSION_TRANSACTED);
        send(guest, queue(scene, "OPEN"), "goes with the rest");
        try {
            send(guest, queue(scene, "USERS"), "denied");
            guest.commit();
            throw new AssertionError("it committed");
        } catch (JMSException e) {
            guest.rollback();
        }
        Scene.nothing(session(scene, "system").createConsumer(queue(scene, "OPEN")));
    }

    /** The connection and its other sessions go on. */
    static void theConnectionGoesOn(Scene scene) throws Exception {
        Session guest = session(scene, "guest");
        MessageConsumer consumer = guest.createConsumer(queue(scene, "BOTH"));
        for (int i = 0; i < 20; i++) {
            denied("write to: queue://USERS", () -> send(guest, queue(scene, "USERS"), "denied"));
        }
        send(guest, queue(scene, "BOTH"), "goes on");
        Scene.check(Scene.next(consumer, 1), "goes on");
    }

    static void wrongCredentials(Scene scene) throws Exception {
        for (String[] wrong : new String[][] {{"ann", "x"}, {"nobody", "ann"}, {"ann", ""}, {"ann", null}}) {
            Connection connection = new ActiveMQConnectionFactory(wrong[0], wrong[1], scene.url).createConnection();
            try {
                refusedWith("User name [" + wrong[0] + "] or password is invalid.", connection::start);
            } finally {
                connection.close();
            }
        }
    }

    /** Who gives neither name nor password is the user anonymous, of the group anonymous, who may what everybody may. */
    static void anonymous(Scene scene) throws Exception {
        Session session = scene.open(new ActiveMQConnectionFactory(scene.url)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        send(session, queue(scene, "OPEN"), "hello");
        Scene.check(Scene.next(session.createConsumer(queue(scene, "OPEN")), 1), "hello");
        refusedWith("User anonymous is not authorized to write to: queue://USERS", () -> send(session, queue(scene, "USERS"), "denied"));
    }

    @Ours("Classic does it, where its broker has populateJMSXUserID, which the one of these tests has not")
    static void theSenderIsNamed(Scene scene) throws Exception {
        Session ann = session(scene, "ann");
        send(ann, queue(scene, "USERS"), "hello");
        Message message = Scene.next(ann.createConsumer(queue(scene, "USERS")));
        Scene.check(((ActiveMQMessage) message).getUserID(), "ann");
        Scene.check(message.getStringProperty("JMSXUserID"), "ann");
    }
}
