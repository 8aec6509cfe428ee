import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.arjuna.common.RecoveryEnvironmentBean;
import com.arjuna.ats.arjuna.common.arjPropertyManager;
import com.arjuna.ats.arjuna.common.recoveryPropertyManager;
import com.arjuna.ats.arjuna.recovery.RecoveryManager;
import com.arjuna.ats.internal.arjuna.recovery.AtomicActionRecoveryModule;
import com.arjuna.ats.internal.jta.recovery.arjunacore.JTANodeNameXAResourceOrphanFilter;
import com.arjuna.ats.internal.jta.recovery.arjunacore.XARecoveryModule;
import com.arjuna.ats.jta.common.jtaPropertyManager;
import com.arjuna.ats.jta.recovery.XAResourceRecoveryHelper;
import com.arjuna.common.internal.util.propertyservice.BeanPopulator;
import jakarta.transaction.TransactionManager;
import java.nio.file.Files;
import java.util.List;
import javax.jms.*;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.command.ActiveMQQueue;

/** A real transaction manager, Narayana, over a broker and another resource, while the broker is killed between prepare and commit. */
class ManagerFailoverChecks {
    private static XARecoveryModule recovery;
    private static RecoveryManager manager;

    /** The client's failover: URL takes the commit to the broker that took over. */
    static void commitGoesOn(Scene scene) throws Exception {
        move(scene, Fault::kill, resource -> resource);
        wantMoved(scene);
    }

    /** The client has lost the broker for good: the manager comes back over another connection, and recovers. */
    static void recoveryCommits(Scene scene) throws Exception {
        move(scene, Fault::kill, resource -> failing(resource, "commit"));
        Scene.check(XaFailoverChecks.texts(scene, scene.queue), List.of());
        recover(scene);
        wantMoved(scene);
    }

    /** The manager crashed before it decided: what it finds prepared and does not know is rolled back. */
    static void recoveryRollsBack(Scene scene) throws Exception {
        scene.send("1");
        XAConnection connection = XaChecks.open(scene, scene.url);
        XASession session = connection.createXASession();
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Xid[] branch = new Xid[1];
        XAResource prepared = new Watched(session.getXAResource(), (call, id) -> {
            if (call.equals("start")) {
                branch[0] = id;
            }
        });
        TransactionManager transactions = transactions();
        transactions.begin();
        transactions.getTransaction().enlistResource(prepared);
        Scene.check(Scene.next(consumer, 1), "1");
        XaChecks.send(session, out(scene), "1");
        transactions.getTransaction().delistResource(prepared, XAResource.TMSUCCESS);
        Scene.check(session.getXAResource().prepare(branch[0]), XAResource.XA_OK);
        transactions.suspend(); // nobody ever ends it
        connection.close();
        Fault.kill();
        recover(scene);
        Scene.check(XaFailoverChecks.texts(scene, scene.queue), List.of("1"));
        Scene.check(scene.left(out(scene)), "");
    }

    /** Moves a message from one queue to another, with a fault once all is prepared. */
    private static void move(Scene scene, Scene.Action fault, Wrapper wrapper) throws Exception {
        scene.send("1");
        XAConnection connection = XaChecks.open(scene, scene.url);
        XASession session = connection.createXASession();
        MessageConsumer consumer = session.createConsumer(scene.queue);
        XAResource resource = wrapper.wrap(session.getXAResource());
        TransactionManager transactions = transactions();
        transactions.begin();
        transactions.getTransaction().enlistResource(new Other(fault));
        transactions.getTransaction().enlistResource(resource);
        Scene.check(Scene.next(consumer, 1), "1");
        XaChecks.send(session, out(scene), "1");
        transactions.commit();
        connection.close();
    }

    private static void wantMoved(Scene scene) throws Exception {
        Scene.check(XaFailoverChecks.texts(scene, scene.queue), List.of());
        Scene.check(XaFailoverChecks.texts(scene, out(scene)), List.of("1"));
        Scene.check(XaChecks.session(scene).getXAResource().recover(XAResource.TMSTARTRSCAN).length, 0);
    }

    private static Queue out(Scene scene) {
        return new ActiveMQQueue(scene.name + ".out");
    }

    interface Wrapper {
        XAResource wrap(XAResource resource);
    }

    /** A resource of which a call fails as when its connection is lost. */
    private static XAResource failing(XAResource resource, String failing) {
        return new Watched(resource, (call, id) -> {
            if (call.equals(failing)) {
                throw new XAException(XAException.XAER_RMFAIL);
            }
        });
    }

    interface Watcher {
        void called(String method, Xid id) throws XAException;
    }

    private static void recover(Scene scene) throws Exception {
        XAConnection connection = XaChecks.open(scene, scene.url);
        XAResource resource = connection.createXASession().getXAResource();
        XAResourceRecoveryHelper helper = new XAResourceRecoveryHelper() {
            @Override
            public boolean initialise(String parameter) {
                return true;
            }

            @Override
            public XAResource[] getXAResources() {
                return new XAResource[] {resource};
            }
        };
        recovery.addXAResourceRecoveryHelper(helper);
        for (int i = 0; i < 20 && resource.recover(XAResource.TMSTARTRSCAN).length > 0; i++) {
            manager.scan();
        }
        recovery.removeXAResourceRecoveryHelper(helper);
    }

    private static synchronized TransactionManager transactions() throws Exception {
        if (manager == null) {
            String directory = Files.createTempDirectory("narayana").toString();
            for (String store : new String[] {null, "communicationStore", "stateStore"}) {
                BeanPopulator.getNamedInstance(ObjectStoreEnvironmentBean.class, store).setObjectStoreDir(directory);
            }
            arjPropertyManager.getCoreEnvironmentBean().setNodeIdentifier("1");
            jtaPropertyManager.getJTAEnvironmentBean().setXaRecoveryNodes(List.of("1"));
            jtaPropertyManager.getJTAEnvironmentBean().setOrphanSafetyInterval(1);
            jtaPropertyManager.getJTAEnvironmentBean().setXaResourceOrphanFilters(List.of(new JTANodeNameXAResourceOrphanFilter()));
            recovery = new XARecoveryModule();
            RecoveryEnvironmentBean bean = recoveryPropertyManager.getRecoveryEnvironmentBean();
            bean.setRecoveryModules(List.of(new AtomicActionRecoveryModule(), recovery));
            bean.setExpiryScanners(List.of());
            bean.setRecoveryBackoffPeriod(1);
            bean.setRecoveryListener(false);
            manager = RecoveryManager.manager(RecoveryManager.DIRECT_MANAGEMENT);
        }
        return com.arjuna.ats.jta.TransactionManager.transactionManager();
    }

    /** A resource whose calls are known before they are made. Unlike a proxy it does not say that it can be serialized. */
    private record Watched(XAResource resource, Watcher watcher) implements XAResource {
        @Override
        public void start(Xid id, int flags) throws XAException {
            watcher.called("start", id);
            resource.start(id, flags);
        }

        @Override
        public void end(Xid id, int flags) throws XAException {
            watcher.called("end", id);
            resource.end(id, flags);
        }

        @Override
        public int prepare(Xid id) throws XAException {
            watcher.called("prepare", id);
            return resource.prepare(id);
        }

        @Override
        public void commit(Xid id, boolean onePhase) throws XAException {
            watcher.called("commit", id);
            resource.commit(id, onePhase);
        }

        @Override
        public void rollback(Xid id) throws XAException {
            watcher.called("rollback", id);
            resource.rollback(id);
        }

        @Override
        public void forget(Xid id) throws XAException {
            watcher.called("forget", id);
            resource.forget(id);
        }

        @Override
        public Xid[] recover(int flag) throws XAException {
            return resource.recover(flag);
        }

        @Override
        public boolean isSameRM(XAResource other) {
            return other == this;
        }

        @Override
        public int getTransactionTimeout() throws XAException {
            return resource.getTransactionTimeout();
        }

        @Override
        public boolean setTransactionTimeout(int seconds) throws XAException {
            return resource.setTransactionTimeout(seconds);
        }
    }

    /** Another resource, which comes first, and does something when it is committed: all are prepared by then. */
    private record Other(Scene.Action fault) implements XAResource {
        @Override
        public void commit(Xid id, boolean onePhase) throws XAException {
            try {
                fault.run();
            } catch (Exception e) {
                throw new XAException(e.toString());
            }
        }

        @Override
        public int prepare(Xid id) {
            return XA_OK;
        }

        @Override
        public void end(Xid id, int flags) {}

        @Override
        public void forget(Xid id) {}

        @Override
        public int getTransactionTimeout() {
            return 0;
        }

        @Override
        public boolean isSameRM(XAResource other) {
            return other == this;
        }

        @Override
        public Xid[] recover(int flag) {
            return new Xid[0];
        }

        @Override
        public void rollback(Xid id) {}

        @Override
        public boolean setTransactionTimeout(int seconds) {
            return false;
        }

        @Override
        public void start(Xid id, int flags) {}
    }
}
