import java.util.Arrays;
import java.util.List;
import javax.jms.*;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.command.ActiveMQQueue;

/** Distributed transactions while their broker is killed and another one takes over. */
class XaFailoverChecks {
    static void prepareWhoseAnswerIsLost(Scene scene) throws Exception {
        prepare(scene, Fault::killAtTheNextAnswer);
    }

    static void prepareThatIsLost(Scene scene) throws Exception {
        prepare(scene, Fault::killAtTheNextRequest);
    }

    private static void prepare(Scene scene, Scene.Action fault) throws Exception {
        XASession session = XaChecks.session(scene);
        Xid id = sent(scene, session);
        fault.run();
        Scene.check(session.getXAResource().prepare(id), XAResource.XA_OK);
        Scene.check(scene.left(), "");
        session.getXAResource().commit(id, false);
        Scene.check(scene.left(), "1 2");
    }

    static void commitWhoseAnswerIsLost(Scene scene) throws Exception {
        commit(scene, Fault::killAtTheNextAnswer);
    }

    static void commitThatIsLost(Scene scene) throws Exception {
        commit(scene, Fault::killAtTheNextRequest);
    }

    private static void commit(Scene scene, Scene.Action fault) throws Exception {
        XASession session = XaChecks.session(scene);
        Xid id = sent(scene, session);
        Scene.check(session.getXAResource().prepare(id), XAResource.XA_OK);
        fault.run();
        session.getXAResource().commit(id, false);
        Scene.check(scene.left(), "1 2");
        Scene.check(XaChecks.contains(session.getXAResource().recover(XAResource.TMSTARTRSCAN), id), false);
    }

    /** The client says that nobody knows. */
    static void commitInOnePhaseWhoseAnswerIsLost(Scene scene) throws Exception {
        XASession session = XaChecks.session(scene);
        Xid id = sent(scene, session);
        Fault.killAtTheNextAnswer();
        XaChecks.refused(XAException.XAER_RMFAIL, () -> session.getXAResource().commit(id, true));
        Scene.check(scene.left(), "1 2");
    }

    /** What is prepared is there at the broker that takes over, and out of everybody's way until its outcome. */
    static void preparedOverTakeovers(Scene scene) throws Exception {
        for (boolean commit : new boolean[] {true, false}) {
            scene.send("in", "other");
            Queue out = new ActiveMQQueue(scene.name + ".out");
            XAConnection connection = XaChecks.open(scene, scene.url);
            XASession session = connection.createXASession();
            MessageConsumer consumer = session.createConsumer(scene.queue);
            Xid id = XaChecks.branch();
            XaChecks.begin(session, id);
            Scene.check(((TextMessage) Scene.next(consumer)).getText(), "in");
            XaChecks.send(session, out, "out");
            XaChecks.end(session, id);
            Scene.check(session.getXAResource().prepare(id), XAResource.XA_OK);
            connection.close();
            Fault.kill();
            Scene.check(texts(scene, scene.queue), List.of("other"));
            Scene.check(texts(scene, out), List.of());
            XAResource manager = XaChecks.session(scene).getXAResource();
            Scene.check(XaChecks.contains(manager.recover(XAResource.TMSTARTRSCAN), id), true);
            if (commit) {
                manager.commit(id, false);
            } else {
                manager.rollback(id);
            }
            Fault.kill();
            Scene.check(texts(scene, scene.queue), commit ? List.of() : List.of("in"));
            Scene.check(texts(scene, out), commit ? List.of("out") : List.of());
        }
    }

    /** Sends two messages in a branch, with nothing on its way afterwards. */
    private static Xid sent(Scene scene, XASession session) throws Exception {
        Xid id = XaChecks.branch();
        XaChecks.begin(session, id);
        XaChecks.send(session, scene.queue, "1", "2");
        XaChecks.end(session, id);
        return id;
    }

    /** Consumes what a queue still has, whether it may have been delivered before or not. */
    static List<String> texts(Scene scene, Queue queue) throws JMSException {
        String told = scene.left(queue);
        return Arrays.stream(told.split(" ")).filter(text -> !text.isEmpty()).map(text -> text.replaceAll("/.*", "")).toList();
    }
}
