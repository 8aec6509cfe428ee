import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.advisory.AdvisorySupport;
import org.apache.activemq.advisory.ConsumerEventSource;
import org.apache.activemq.advisory.DestinationSource;
import org.apache.activemq.advisory.ProducerEventSource;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ConnectionInfo;
import org.apache.activemq.command.ConsumerInfo;
import org.apache.activemq.command.DataStructure;
import org.apache.activemq.command.DestinationInfo;
import org.apache.activemq.command.ProducerInfo;
import org.apache.activemq.command.RemoveInfo;

/** What the broker tells on the topics of advisories, and ActiveMQ's listeners that work by it. */
class AdvisoryChecks {
    static void consumerEvents(Scene scene) throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        ConsumerEventSource source = new ConsumerEventSource(scene.open(), scene.queue);
        source.setConsumerListener(e -> events.add((e.isStarted() ? "+" : "-") + e.getConsumerCount()));
        Session first = scene.session(Session.AUTO_ACKNOWLEDGE);
        first.createConsumer(scene.queue);
        source.start();
        wants(events, "+1");
        Session second = scene.session(Session.AUTO_ACKNOWLEDGE);
        second.createConsumer(scene.queue);
        wants(events, "+2");
        first.close();
        wants(events, "-1");
        second.close();
        wants(events, "-0");
    }

    static void producerEvents(Scene scene) throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        ProducerEventSource source = new ProducerEventSource(scene.open(), scene.topic);
        source.setProducerListener(e -> events.add((e.isStarted() ? "+" : "-") + e.getProducerCount()));
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(scene.topic);
        source.start();
        wants(events, "+1");
        MessageProducer second = session.createProducer(scene.topic);
        session.createProducer(null);
        wants(events, "+2");
        second.close();
        wants(events, "-1");
        session.close();
        wants(events, "-0");
    }

    static void eventsOfATemporaryQueue(Scene scene) throws Exception {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Destination temporary = session.createTemporaryQueue();
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        ConsumerEventSource source = new ConsumerEventSource(connection, temporary);
        source.setConsumerListener(e -> events.add((e.isStarted() ? "+" : "-") + e.getConsumerCount()));
        source.start();
        MessageConsumer consumer = session.createConsumer(temporary);
        wants(events, "+1");
        consumer.close();
        wants(events, "-0");
    }

    static void destinationSource(Scene scene) throws Exception {
        scene.send("makes the queue");
        ActiveMQConnection connection = (ActiveMQConnection) scene.open();
        DestinationSource source = connection.getDestinationSource();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createConsumer(scene.topic);
        TemporaryTopic temporary = session.createTemporaryTopic();
        for (int i = 0; i < 200 && !(source.getQueues().contains(scene.queue) && source.getTopics().contains(scene.topic)
            && source.getTemporaryTopics().contains(temporary)); i++) {
            Thread.sleep(20);
        }
        Scene.check(source.getQueues().contains(scene.queue), true);
        Scene.check(source.getTopics().contains(scene.topic), true);
        Scene.check(source.getTemporaryTopics().contains(temporary), true);
    }

    static void connections(Scene scene) throws Exception {
        MessageConsumer ear = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(AdvisorySupport.getConnectionAdvisoryTopic());
        var factory = scene.factory();
        factory.setClientID(scene.name);
        Connection connection = scene.open(factory);
        connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        ConnectionInfo info;
        do {
            DataStructure told = ((ActiveMQMessage) Scene.next(ear)).getDataStructure();
            info = told instanceof ConnectionInfo ? (ConnectionInfo) told : null;
        } while (info == null || !scene.name.equals(info.getClientId()));
        Scene.check(String.valueOf(info.getPassword()), "");
        connection.close();
        while (true) {
            DataStructure told = ((ActiveMQMessage) Scene.next(ear)).getDataStructure();
            if (told instanceof RemoveInfo && ((RemoveInfo) told).getObjectId().equals(info.getConnectionId())) {
                return;
            }
        }
    }

    /** What is told of comes with what the client said, and with the broker's name and place. */
    static void whatIsTold(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumers = session.createConsumer(AdvisorySupport.getConsumerAdvisoryTopic((ActiveMQDestination) scene.queue));
        MessageConsumer producers = session.createConsumer(AdvisorySupport.getProducerAdvisoryTopic((ActiveMQDestination) scene.queue));
        MessageConsumer consumer = session.createConsumer(scene.queue, "a = 1");
        session.createProducer(scene.queue);
        ActiveMQMessage told = (ActiveMQMessage) Scene.next(consumers);
        Scene.check(told.getJMSType(), "Advisory");
        Scene.check(told.getJMSDeliveryMode(), DeliveryMode.NON_PERSISTENT);
        Scene.check(told.getIntProperty("consumerCount"), 1);
        Scene.check(told.getStringProperty("originBrokerURL").startsWith("tcp://"), true);
        Scene.check(told.getStringProperty("originBrokerName") != null && told.getStringProperty("originBrokerId") != null, true);
        Scene.check(((ConsumerInfo) told.getDataStructure()).getSelector(), "a = 1");
        told = (ActiveMQMessage) Scene.next(producers);
        Scene.check(told.getIntProperty("producerCount"), 1);
        Scene.check(((ProducerInfo) told.getDataStructure()).getDestination(), scene.queue);
        consumer.close();
        Scene.check(((RemoveInfo) ((ActiveMQMessage) Scene.next(consumers)).getDataStructure()).isConsumerRemove(), true);
    }

    static void wildcards(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(session.createQueue(scene.name + ".early"));
        MessageConsumer ear = session.createConsumer(session.createTopic("ActiveMQ.Advisory.Consumer.Queue." + scene.name + ".>"));
        session.createConsumer(session.createQueue(scene.name + ".late"));
        List<String> told = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            told.add(((ConsumerInfo) ((ActiveMQMessage) Scene.next(ear)).getDataStructure()).getDestination().getPhysicalName());
        }
        Scene.check(told, List.of(scene.name + ".early", scene.name + ".late"));
    }

    static void whatHappensToMessages(Scene scene) throws Exception {
        Queue queue = session(scene).createQueue(scene.name + ".q");
        ActiveMQDestination d = (ActiveMQDestination) queue;
        Session session = session(scene);
        MessageConsumer delivered = session.createConsumer(AdvisorySupport.getMessageDeliveredAdvisoryTopic(d));
        MessageConsumer dispatched = session.createConsumer(AdvisorySupport.getMessageDispatchedAdvisoryTopic(d));
        MessageConsumer consumed = session.createConsumer(AdvisorySupport.getMessageConsumedAdvisoryTopic(d));
        MessageProducer producer = session.createProducer(queue);
        Message message = session.createTextMessage("text");
        producer.send(message);
        MessageConsumer consumer = session.createConsumer(queue);
        Scene.next(consumer);
        for (MessageConsumer ear : new MessageConsumer[] {delivered, dispatched, consumed}) {
            ActiveMQMessage told = (ActiveMQMessage) Scene.next(ear);
            Scene.check(told.getStringProperty("orignalMessageId"), message.getJMSMessageID());
            Scene.check(told.getStringProperty("orignalDestination"), d.getQualifiedName());
            ActiveMQMessage about = (ActiveMQMessage) told.getDataStructure();
            Scene.check(about.getJMSMessageID(), message.getJMSMessageID());
            Scene.check(about.getContent(), null);
            Scene.check(told.getStringProperty("consumerId") != null, ear == dispatched);
        }
    }

    static void withTheBody(Scene scene) throws Exception {
        Session session = session(scene);
        Queue queue = session.createQueue(scene.name + ".q");
        MessageConsumer ear = session.createConsumer(AdvisorySupport.getMessageDeliveredAdvisoryTopic((ActiveMQDestination) queue));
        session.createProducer(queue).send(session.createTextMessage("text"));
        Scene.check(((TextMessage) ((ActiveMQMessage) Scene.next(ear)).getDataStructure()).getText(), "text");
    }

    static void expiredMessagesAndDeadLetters(Scene scene) throws Exception {
        Session session = session(scene);
        ActiveMQDestination d = (ActiveMQDestination) scene.queue;
        MessageConsumer expired = session.createConsumer(AdvisorySupport.getExpiredMessageTopic(d));
        MessageConsumer dead = session.createConsumer(AdvisorySupport.getMessageDLQdAdvisoryTopic(d));
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setTimeToLive(50);
        Message message = session.createTextMessage("stale");
        producer.send(message);
        Thread.sleep(150);
        session.createConsumer(scene.queue);
        Scene.check(Scene.next(expired).getStringProperty("orignalMessageId"), message.getJMSMessageID());
        Scene.check(((Message) ((ActiveMQMessage) Scene.next(dead)).getDataStructure()).getJMSMessageID(), message.getJMSMessageID());
    }

    static void nobodyIsThere(Scene scene) throws Exception {
        Session session = session(scene);
        for (Destination d : new Destination[] {session.createQueue(scene.name + ".q"), session.createTopic(scene.name + ".t")}) {
            MessageConsumer ear = session.createConsumer(AdvisorySupport.getNoConsumersAdvisoryTopic((ActiveMQDestination) d));
            MessageProducer producer = session.createProducer(d);
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
            producer.send(session.createTextMessage("to nobody"));
            Scene.check(((TextMessage) Scene.next(ear)).getText(), "to nobody");
        }
    }

    static void aSlowConsumerLoses(Scene scene) throws Exception {
        Session session = session(scene);
        Topic topic = session.createTopic(scene.name + ".t");
        ActiveMQDestination d = (ActiveMQDestination) topic;
        MessageConsumer slow = session.createConsumer(AdvisorySupport.getSlowConsumerAdvisoryTopic(d));
        MessageConsumer discarded = session.createConsumer(AdvisorySupport.getMessageDiscardedAdvisoryTopic(d));
        scene.session(Session.CLIENT_ACKNOWLEDGE).createConsumer(session.createTopic(scene.name + ".t?consumer.prefetchSize=3"));
        MessageProducer producer = session.createProducer(topic);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        for (int i = 0; i < 15; i++) {
            producer.send(session.createTextMessage("" + i));
        }
        Scene.check(((ActiveMQMessage) Scene.next(slow)).getDataStructure() instanceof ConsumerInfo, true);
        for (int i = 1; i <= 2; i++) {
            ActiveMQMessage told = (ActiveMQMessage) Scene.next(discarded);
            Scene.check(told.getIntProperty("discardedCount"), i);
            Scene.check(told.getStringProperty("consumerId").startsWith("ID:"), true);
        }
    }

    /** A queue's consumer that has its prefetch is slow, whatever the policy. */
    static void aSlowConsumerOfAQueue(Scene scene) throws Exception {
        Session session = session(scene);
        MessageConsumer ear = session.createConsumer(AdvisorySupport.getSlowConsumerAdvisoryTopic((ActiveMQDestination) scene.queue));
        session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=2"));
        scene.send("1", "2", "3");
        Scene.check(Scene.next(ear).getStringProperty("consumerId").startsWith("ID:"), true);
    }

    static void theMaster(Scene scene) throws Exception {
        Scene.next(session(scene).createConsumer(AdvisorySupport.getMasterBrokerAdvisoryTopic()));
    }

    static void destinations(Scene scene) throws Exception {
        Session session = session(scene);
        MessageConsumer ear = session.createConsumer(AdvisorySupport.QUEUE_ADVISORY_TOPIC);
        session.createConsumer(scene.queue);
        DestinationInfo info;
        do {
            info = (DestinationInfo) ((ActiveMQMessage) Scene.next(ear)).getDataStructure();
        } while (!info.getDestination().equals(scene.queue));
        Scene.check(info.isAddOperation(), true);
    }

    private static Session session(Scene scene) throws JMSException {
        return scene.session(Session.AUTO_ACKNOWLEDGE);
    }

    private static void wants(BlockingQueue<String> events, String wanted) throws InterruptedException {
        Scene.check(events.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS), wanted);
    }
}
