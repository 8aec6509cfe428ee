import java.util.ArrayList;
import java.util.List;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** What a check works with: connections that end with it, a queue of its own, and ways to say what is expected. */
final class Scene implements AutoCloseable {
    /** How long to wait for what must come, in milliseconds. */
    static final long PATIENCE = 10_000;
    /** How long to wait for what must not come. */
    static final long SILENCE = 150;

    interface Action {
        void run() throws Exception;
    }

    final String url;
    final String name;
    final Queue queue;
    final Topic topic;
    private final List<Connection> connections = new ArrayList<>();

    Scene(String url, String name) {
        this.url = url;
        this.name = name;
        queue = new ActiveMQQueue(name);
        topic = new ActiveMQTopic(name);
    }

    /** A factory whose consumers get what they give back without delay. */
    ActiveMQConnectionFactory factory() {
        ActiveMQConnectionFactory factory =
            new ActiveMQConnectionFactory(System.getenv("JMS_USERNAME"), System.getenv("JMS_PASSWORD"), url);
        factory.getRedeliveryPolicy().setInitialRedeliveryDelay(0);
        factory.getRedeliveryPolicy().setRedeliveryDelay(0);
        return factory;
    }

    /** A factory of a client that does not keep from the program what it gets twice. */
    ActiveMQConnectionFactory candidFactory() {
        ActiveMQConnectionFactory factory = factory();
        factory.setCheckForDuplicates(false);
        return factory;
    }

    Connection open(ActiveMQConnectionFactory factory) throws JMSException {
        Connection connection = factory.createConnection();
        synchronized (connections) {
            connections.add(connection);
        }
        connection.start();
        return connection;
    }

    Connection open() throws JMSException {
        return open(factory());
    }

    /** A session on a connection of its own. */
    Session session(int mode) throws JMSException {
        return open().createSession(mode == Session.SESSION_TRANSACTED, mode);
    }

    /** Sends texts to the queue, persistently, as messages with the property "check", which tells whose they are. */
    void send(String... texts) throws JMSException {
        Connection connection = open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(queue);
        for (String text : texts) {
            producer.send(text(session, text));
        }
        connection.close();
    }

    TextMessage text(Session session, String text) throws JMSException {
        TextMessage message = session.createTextMessage(text);
        message.setStringProperty("check", name);
        return message;
    }

    /** Consumes what the queue still has, and tells it. */
    String left() throws JMSException {
        return left(queue);
    }

    String left(Queue queue) throws JMSException {
        Connection connection = open(candidFactory());
        String told = rest(connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(queue));
        connection.close();
        return told;
    }

    private static String rest(MessageConsumer consumer) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (Message m; (m = consumer.receive(SILENCE)) != null;) {
            texts.add(tell(m));
        }
        return String.join(" ", texts);
    }

    /** A consumer of this check's dead letters. */
    MessageConsumer deadLetters() throws JMSException {
        return session(Session.AUTO_ACKNOWLEDGE).createConsumer(new ActiveMQQueue("ActiveMQ.DLQ"), "check = '" + name + "'");
    }

    /** Consumes this check's dead letters, and tells them. */
    String dead() throws JMSException {
        MessageConsumer consumer = deadLetters();
        String told = rest(consumer);
        consumer.close();
        return told;
    }

    @Override
    public void close() throws JMSException {
        for (Connection connection : connections) {
            connection.close();
        }
    }

    /** A text, with the number of its delivery if that is not the first: "hello/2". */
    static String tell(Message message) throws JMSException {
        int count = message.getIntProperty("JMSXDeliveryCount");
        check(message.getJMSRedelivered(), count > 1);
        return ((TextMessage) message).getText() + (count > 1 ? "/" + count : "");
    }

    /** Does what may be refused for a moment. */
    static void eventually(Action action) throws Exception {
        for (long end = System.currentTimeMillis() + PATIENCE;; Thread.sleep(10)) {
            try {
                action.run();
                return;
            } catch (JMSException e) {
                if (System.currentTimeMillis() > end) {
                    throw e;
                }
            }
        }
    }

    static Message next(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receive(PATIENCE);
        if (message == null) {
            throw new AssertionError("no message comes");
        }
        return message;
    }

    static String next(MessageConsumer consumer, int count) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(tell(next(consumer)));
        }
        return String.join(" ", texts);
    }

    static void nothing(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receive(SILENCE);
        if (message != null) {
            throw new AssertionError("got " + message);
        }
    }

    static void check(Object got, Object wanted) {
        if (!String.valueOf(got).equals(String.valueOf(wanted))) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    /** Checks that the action throws exactly this class, with a message that contains the text. */
    static void refused(Class<?> type, String text, Action action) throws Exception {
        try {
            action.run();
        } catch (Exception e) {
            if (e.getClass() != type || !String.valueOf(e.getMessage()).contains(text)) {
                throw new AssertionError("refused, but with " + e + "; wanted " + type.getName() + " and \"" + text + "\"", e);
            }
            return;
        }
        throw new AssertionError("not refused; wanted " + type.getName() + " and \"" + text + "\"");
    }
}
