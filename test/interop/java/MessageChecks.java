import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** What is in a message arrives as it was sent. */
class MessageChecks {
    private static final String TEXT = "ASCII, 消息, \0 and 🐙";
    /** What clients can read in a map: they take its modified UTF-8 for the usual one. */
    private static final String IN_MAP = "ASCII and 消息";

    static void bodies(Scene scene) throws Exception {
        bodies(scene, false);
    }

    static void compressedBodies(Scene scene) throws Exception {
        bodies(scene, true);
    }

    private static void bodies(Scene scene, boolean compressed) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setUseCompression(compressed);
        factory.setTrustedPackages(List.of("java.lang", "java.util"));
        Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        for (int mode : new int[] {DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT}) {
            producer.setDeliveryMode(mode);
            producer.send(session.createMessage());
            Scene.check(Scene.next(consumer) instanceof TextMessage, false);
            texts(session, producer, consumer);
            bytes(session, producer, consumer);
            map(session, producer, consumer);
            stream(session, producer, consumer);
            producer.send(session.createObjectMessage(new TreeMap<>(Map.of("eight", List.of(8), "text", List.of(TEXT)))));
            Scene.check(((ObjectMessage) Scene.next(consumer)).getObject(), "{eight=[8], text=[" + TEXT + "]}");
        }
    }

    private static void texts(Session session, MessageProducer producer, MessageConsumer consumer) throws JMSException {
        for (String text : new String[] {null, "", TEXT, TEXT.repeat(5000)}) {
            producer.send(session.createTextMessage(text));
            Scene.check(((TextMessage) Scene.next(consumer)).getText(), text);
        }
    }

    private static void bytes(Session session, MessageProducer producer, MessageConsumer consumer) throws JMSException {
        BytesMessage sent = session.createBytesMessage();
        sent.writeInt(-2);
        sent.writeDouble(0.5);
        sent.writeUTF(TEXT);
        sent.writeBytes(new byte[] {0, -1});
        producer.send(sent);
        BytesMessage got = (BytesMessage) Scene.next(consumer);
        Scene.check(got.readInt() + got.readDouble() + got.readUTF() + got.readByte() + got.readByte(), -2 + 0.5 + TEXT + 0 + -1);
        Scene.check(got.readBytes(new byte[1]), -1);
    }

    private static void map(Session session, MessageProducer producer, MessageConsumer consumer) throws JMSException {
        MapMessage sent = session.createMapMessage();
        sent.setBoolean("boolean", true);
        sent.setByte("byte", Byte.MIN_VALUE);
        sent.setChar("char", 'ß');
        sent.setShort("short", Short.MIN_VALUE);
        sent.setInt("int", Integer.MIN_VALUE);
        sent.setLong("long", Long.MIN_VALUE);
        sent.setFloat("float", Float.MIN_VALUE);
        sent.setDouble("double", Double.MIN_VALUE);
        sent.setString("string", IN_MAP);
        sent.setString("null", null);
        sent.setObject("map", Map.of("list", List.of(1, "two")));
        sent.setBytes("bytes", new byte[] {0, -1});
        producer.send(sent);
        MapMessage got = (MapMessage) Scene.next(consumer);
        Map<String, Object> entries = new TreeMap<>();
        for (Enumeration<?> names = got.getMapNames(); names.hasMoreElements();) {
            String name = (String) names.nextElement();
            Object value = got.getObject(name);
            entries.put(name, value instanceof byte[] b ? Arrays.toString(b) : value);
        }
        Scene.check(entries, "{boolean=true, byte=-128, bytes=[0, -1], char=ß, double=4.9E-324, float=1.4E-45, int=-2147483648, "
            + "long=-9223372036854775808, map={list=[1, two]}, null=null, short=-32768, string=" + IN_MAP + "}");
    }

    private static void stream(Session session, MessageProducer producer, MessageConsumer consumer) throws Exception {
        StreamMessage sent = session.createStreamMessage();
        for (Object value : new Object[] {true, (byte) 1, 'c', (short) 2, 3, 4L, 0.5f, 0.25, TEXT, null}) {
            sent.writeObject(value);
        }
        producer.send(sent);
        StreamMessage got = (StreamMessage) Scene.next(consumer);
        StringBuilder values = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            Object value = got.readObject();
            values.append(value == null ? "" : value.getClass().getSimpleName()).append(' ').append(value).append(' ');
        }
        Scene.check(values, "Boolean true Byte 1 Character c Short 2 Integer 3 Long 4 Float 0.5 Double 0.25 String " + TEXT + "  null ");
        Scene.refused(MessageEOFException.class, "", got::readInt);
    }

    static void properties(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Message sent = session.createMessage();
        sent.setBooleanProperty("boolean", true);
        sent.setByteProperty("byte", (byte) -1);
        sent.setShortProperty("short", Short.MAX_VALUE);
        sent.setIntProperty("int", Integer.MAX_VALUE);
        sent.setLongProperty("long", Long.MAX_VALUE);
        sent.setFloatProperty("float", 0.5f);
        sent.setDoubleProperty("double", -0.25);
        sent.setStringProperty("string", IN_MAP);
        sent.setStringProperty("long_string", "x".repeat(100_000));
        sent.setObjectProperty("list", List.of(1, "two"));
        session.createProducer(scene.queue).send(sent);
        Message got = Scene.next(session.createConsumer(scene.queue));
        StringBuilder values = new StringBuilder();
        for (String name : "boolean byte short int long float double string list".split(" ")) {
            values.append(got.getObjectProperty(name).getClass().getSimpleName()).append(' ').append(got.getObjectProperty(name)).append(' ');
        }
        Scene.check(values, "Boolean true Byte -1 Short 32767 Integer 2147483647 Long 9223372036854775807 Float 0.5 Double -0.25 String "
            + IN_MAP + " ArrayList [1, two] ");
        Scene.check(got.getStringProperty("long_string").length(), 100_000);
    }

    static void headers(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Queue replyTo = new ActiveMQQueue("elsewhere");
        MessageConsumer consumer = session.createConsumer(scene.queue);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int priority = 0; priority <= 9; priority++) {
            Message sent = session.createMessage();
            sent.setJMSCorrelationID(TEXT);
            sent.setJMSReplyTo(replyTo);
            sent.setJMSType("a type");
            producer.send(sent, DeliveryMode.NON_PERSISTENT, priority, 60_000);
            Message got = Scene.next(consumer);
            Scene.check(got.getJMSMessageID(), sent.getJMSMessageID());
            Scene.check(got.getJMSCorrelationID() + got.getJMSReplyTo() + got.getJMSType(), TEXT + replyTo + "a type");
            Scene.check(got.getJMSPriority() + " " + got.getJMSDeliveryMode(), priority + " " + DeliveryMode.NON_PERSISTENT);
            Scene.check(got.getJMSTimestamp(), sent.getJMSTimestamp());
            Scene.check(got.getJMSExpiration(), sent.getJMSTimestamp() + 60_000);
            Scene.check(got.getJMSDestination(), scene.queue);
        }
    }

    static void large(Scene scene) throws Exception {
        byte[] body = new byte[7 << 20];
        new java.util.Random(7).nextBytes(body);
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        BytesMessage sent = session.createBytesMessage();
        sent.writeBytes(body);
        producer.send(sent);
        producer.send(session.createTextMessage("after it"));
        session.commit();
        for (int i = 0; i < 2; i++) { // and once more from where the broker keeps it
            BytesMessage got = (BytesMessage) Scene.next(consumer);
            byte[] bytes = new byte[(int) got.getBodyLength()];
            got.readBytes(bytes);
            Scene.check(Arrays.equals(bytes, body), true);
            Scene.check(((TextMessage) Scene.next(consumer)).getText(), "after it");
            if (i == 0) {
                session.rollback();
            }
        }
        session.commit();
    }

    static void toSeveralDestinations(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer[] consumers = {
            session.createConsumer(scene.queue), session.createConsumer(new ActiveMQQueue(scene.name + ".2")),
            session.createConsumer(new ActiveMQTopic(scene.name + ".3")),
        };
        String all = scene.name + "," + scene.name + ".2,topic://" + scene.name + ".3";
        session.createProducer(session.createQueue(all)).send(session.createTextMessage("plain"));
        Session transacted = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = transacted.createProducer(transacted.createQueue(all));
        producer.send(transacted.createTextMessage("gone"));
        transacted.rollback();
        producer.send(transacted.createTextMessage("transacted"));
        transacted.commit();
        for (MessageConsumer consumer : consumers) {
            Scene.check(Scene.next(consumer, 2), "plain transacted");
            Scene.nothing(consumer);
        }
    }
}
