import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import javax.jms.*;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQXAConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.XATransactionId;

/** Branches of distributed transactions, driven as a transaction manager does. */
class XaChecks {
    private static final AtomicLong BRANCHES = new AtomicLong(System.nanoTime());

    static void commitInTwoPhases(Scene scene) throws Exception {
        XASession session = session(scene);
        Xid id = branch();
        begin(session, id);
        send(session, scene.queue, "1", "2");
        end(session, id);
        Scene.check(session.getXAResource().prepare(id), XAResource.XA_OK);
        Scene.check(scene.left(), "");
        session.getXAResource().commit(id, false);
        Scene.check(scene.left(), "1 2");
        refused(XAException.XAER_NOTA, () -> session.getXAResource().commit(id, false));
        refused(XAException.XAER_NOTA, () -> session.getXAResource().rollback(id));
    }

    static void commitInOnePhase(Scene scene) throws Exception {
        scene.send("in");
        Queue out = new ActiveMQQueue(scene.name + ".out");
        XASession session = session(scene);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Xid id = branch();
        begin(session, id);
        Scene.check(Scene.tell(Scene.next(consumer)), "in");
        send(session, out, "out");
        end(session, id);
        session.getXAResource().commit(id, true);
        session.close();
        Scene.check(scene.left(), "");
        Scene.check(scene.left(out), "out");
    }

    static void commitInTwoPhasesNeedsThePreparation(Scene scene) throws Exception {
        XASession session = session(scene);
        Xid id = branch();
        begin(session, id);
        send(session, scene.queue, "1");
        end(session, id);
        refused(XAException.XAER_PROTO, () -> session.getXAResource().commit(id, false));
        session.getXAResource().rollback(id);
        Scene.check(scene.left(), "");
    }

    static void readOnly(Scene scene) throws Exception {
        XASession session = session(scene);
        Xid id = branch();
        begin(session, id);
        end(session, id);
        Scene.check(session.getXAResource().prepare(id), XAResource.XA_RDONLY);
        refused(XAException.XAER_NOTA, () -> session.getXAResource().commit(id, false));
    }

    static void rollback(Scene scene) throws Exception {
        scene.send("in");
        XASession session = session(scene);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        for (boolean prepared : new boolean[] {false, true}) {
            Xid id = branch();
            begin(session, id);
            Scene.check(Scene.tell(Scene.next(consumer)), prepared ? "in/2" : "in");
            send(session, new ActiveMQQueue(scene.name + ".out"), "out");
            end(session, id);
            if (prepared) {
                Scene.check(session.getXAResource().prepare(id), XAResource.XA_OK);
            }
            session.getXAResource().rollback(id);
        }
        Xid id = branch();
        begin(session, id);
        Scene.check(Scene.tell(Scene.next(consumer)), "in/3");
        end(session, id);
        session.getXAResource().commit(id, true);
        Scene.check(scene.left(new ActiveMQQueue(scene.name + ".out")), "");
    }

    /** What is prepared belongs to no connection: another one finds it and ends it. */
    static void recover(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        for (boolean commit : new boolean[] {true, false}) {
            Queue out = new ActiveMQQueue(scene.name + ".out");
            XAConnection connection = open(scene, scene.url);
            XASession session = connection.createXASession();
            MessageConsumer consumer = session.createConsumer(scene.queue);
            Xid id = branch();
            begin(session, id);
            String got = ((TextMessage) Scene.next(consumer)).getText();
            send(session, out, "out");
            end(session, id);
            Scene.check(session.getXAResource().prepare(id), XAResource.XA_OK);
            connection.close();

            XAResource manager = session(scene).getXAResource();
            Scene.check(contains(manager.recover(XAResource.TMSTARTRSCAN), id), true);
            Scene.check(manager.recover(XAResource.TMNOFLAGS).length, 0);
            if (commit) {
                manager.commit(id, false);
            } else {
                manager.rollback(id);
            }
            Scene.check(contains(manager.recover(XAResource.TMSTARTRSCAN), id), false);
            Scene.check(scene.left(out), commit ? "out" : "");
            Scene.check(got, commit ? "1" : "2");
        }
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(((TextMessage) Scene.next(consumer)).getText(), "2");
        Scene.check(((TextMessage) Scene.next(consumer)).getText(), "3");
        Scene.nothing(consumer);
    }

    static void suspendAndResume(Scene scene) throws Exception {
        XASession session = session(scene);
        XAResource resource = session.getXAResource();
        Xid first = branch();
        Xid second = branch();
        begin(session, first);
        send(session, scene.queue, "1");
        resource.end(first, XAResource.TMSUSPEND);
        begin(session, second);
        send(session, scene.queue, "never");
        end(session, second);
        resource.start(first, XAResource.TMRESUME);
        send(session, scene.queue, "2");
        end(session, first);
        resource.rollback(second);
        Scene.check(resource.prepare(first), XAResource.XA_OK);
        resource.commit(first, false);
        Scene.check(scene.left(), "1 2");
    }

    static void join(Scene scene) throws Exception {
        XASession first = session(scene);
        XASession second = session(scene);
        Xid id = branch();
        begin(first, id);
        send(first, scene.queue, "1");
        end(first, id);
        second.getXAResource().start(id, XAResource.TMJOIN);
        send(second, scene.queue, "2");
        end(second, id);
        Scene.check(second.getXAResource().prepare(id), XAResource.XA_OK);
        second.getXAResource().commit(id, false);
        Scene.check(scene.left(), "1 2");
    }

    static void endWithTheConnection(Scene scene) throws Exception {
        scene.send("in");
        XAConnection connection = open(scene, scene.url);
        XASession session = connection.createXASession();
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Xid id = branch();
        begin(session, id);
        Scene.check(Scene.tell(Scene.next(consumer)), "in");
        send(session, new ActiveMQQueue(scene.name + ".out"), "out");
        end(session, id);
        connection.close();
        XAResource manager = session(scene).getXAResource();
        Scene.check(contains(manager.recover(XAResource.TMSTARTRSCAN), id), false);
        refused(XAException.XAER_NOTA, () -> manager.commit(id, true));
        Scene.check(scene.left(new ActiveMQQueue(scene.name + ".out")), "");
        Scene.check(((TextMessage) Scene.next(scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue))).getText(), "in");
    }

    static void endInTheMiddleOfFailure(Scene scene) throws Exception {
        XASession session = session(scene);
        XAResource resource = session.getXAResource();
        Xid id = branch();
        begin(session, id);
        send(session, scene.queue, "never");
        resource.end(id, XAResource.TMFAIL);
        resource.rollback(id);
        Scene.check(scene.left(), "");
    }

    static void unknown(Scene scene) throws Exception {
        XAResource resource = session(scene).getXAResource();
        refused(XAException.XAER_NOTA, () -> resource.rollback(branch()));
        refused(XAException.XAER_NOTA, () -> resource.commit(branch(), true));
        refused(XAException.XAER_NOTA, () -> resource.commit(branch(), false));
        refused(XAException.XAER_NOTA, () -> resource.forget(branch()));
        Scene.check(resource.setTransactionTimeout(10), false);
        Scene.check(resource.isSameRM(session(scene).getXAResource()), true);
    }

    static boolean contains(Xid[] all, Xid id) {
        return Arrays.stream(all).anyMatch(other -> new XATransactionId(other).equals(new XATransactionId(id)));
    }

    static Xid branch() {
        XATransactionId id = new XATransactionId();
        id.setFormatId(86);
        id.setGlobalTransactionId(ByteBuffer.allocate(8).putLong(BRANCHES.incrementAndGet()).array());
        id.setBranchQualifier(new byte[] {1, -2});
        return id;
    }

    static XAConnection open(Scene scene, String url) throws JMSException {
        ActiveMQXAConnectionFactory factory =
            new ActiveMQXAConnectionFactory(System.getenv("JMS_USERNAME"), System.getenv("JMS_PASSWORD"), url);
        ActiveMQConnectionFactory plain = scene.factory();
        factory.setRedeliveryPolicy(plain.getRedeliveryPolicy());
        factory.getRedeliveryPolicy().setMaximumRedeliveries(20);
        return (XAConnection) scene.open(factory);
    }

    static XASession session(Scene scene) throws JMSException {
        return open(scene, scene.url).createXASession();
    }

    static void begin(XASession session, Xid id) throws XAException {
        session.getXAResource().start(id, XAResource.TMNOFLAGS);
    }

    static void end(XASession session, Xid id) throws XAException {
        session.getXAResource().end(id, XAResource.TMSUCCESS);
    }

    static void send(Session session, Queue queue, String... texts) throws JMSException {
        MessageProducer producer = session.createProducer(queue);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
    }

    static void refused(int code, Scene.Action action) throws Exception {
        try {
            action.run();
        } catch (XAException e) {
            Scene.check(e.errorCode, code);
            return;
        }
        throw new AssertionError("not refused; wanted an XAException of code " + code);
    }
}
