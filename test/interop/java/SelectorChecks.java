import javax.jms.*;

/** Selectors as ActiveMQ reads them: what they match, and which are refused when a consumer asks for them. */
class SelectorChecks {
    private static Message sample(Session session, Scene scene) throws JMSException {
        Message message = session.createTextMessage("sample");
        message.setJMSType("car");
        message.setJMSCorrelationID("c1");
        message.setJMSReplyTo(scene.topic);
        message.setStringProperty("JMSXGroupID", "g");
        message.setIntProperty("JMSXGroupSeq", 3);
        message.setStringProperty("name", "James");
        message.setStringProperty("foo", "_foo");
        message.setIntProperty("rank", 123);
        message.setIntProperty("version", 2);
        message.setByteProperty("byte", (byte) 12);
        message.setLongProperty("long", 1L << 40);
        message.setFloatProperty("float", 1.5f);
        message.setDoubleProperty("double", 2.25);
        message.setBooleanProperty("yes", true);
        return message;
    }

    static void matches(Scene scene) throws Exception {
        String[] selectors = {
            "JMSType = 'car'", "JMSCorrelationID = 'c1'", "JMSPriority = 4", "JMSDeliveryMode = 'PERSISTENT'", "JMSXGroupID = 'g'",
            "JMSXGroupSeq = 3", "JMSReplyTo = 'topic://" + scene.name + "'", "JMSDestination = 'queue://" + scene.name + "'",
            "name IN ('Bob', 'James')", "name NOT IN ('Bob')", "foo LIKE '!_%' ESCAPE '!'", "foo LIKE '%_%' ESCAPE '%'", "name LIKE 'J_m%'",
            "name NOT LIKE 'B%'", "rank BETWEEN 100 AND 150", "rank NOT BETWEEN 1 AND 2", "rank / version = 61.5", "rank * 2 - 46 = 200",
            "-rank < 0", "byte = 0xC AND byte = 014", "long = 1099511627776", "float = 1.5 AND double > 2.0E0", "yes", "NOT (yes = FALSE)",
            "missing IS NULL", "name IS NOT NULL", "missing = 1 OR yes", "name + '!' = 'James!'", "rank > .5E2", "rank % 2 = 1",
            "'x' = 'x' -- a comment\n AND yes", "name <> 'Bob' AND (rank >= 123 OR FALSE)",
        };
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(scene.queue).send(sample(session, scene));
        for (String selector : selectors) {
            QueueBrowser browser = session.createBrowser(scene.queue, selector);
            if (!browser.getEnumeration().hasMoreElements()) {
                throw new AssertionError(selector + " does not match");
            }
            browser.close();
        }
    }

    static void doesNotMatch(Scene scene) throws Exception {
        String[] selectors = {
            "JMSType = 'Car'", "missing = 1", "NOT (missing = 1)", "missing <> 1", "missing LIKE '%'", "missing NOT LIKE '%'", "missing IN ('a')",
            "missing NOT IN ('a')", "missing BETWEEN 1 AND 2", "missing AND yes", "missing OR NOT yes", "rank = '123'", "name = 1", "name LIKE 'j%'",
            "rank + missing = 1", "Name = 'James'", "foo LIKE '%ar'",
        };
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(scene.queue).send(sample(session, scene));
        for (String selector : selectors) {
            QueueBrowser browser = session.createBrowser(scene.queue, selector);
            if (browser.getEnumeration().hasMoreElements()) {
                throw new AssertionError(selector + " matches");
            }
            browser.close();
        }
    }

    static void refused(Scene scene) throws Exception {
        String[] selectors = {
            "=TEST 'test'", "a = 1 AMD b = 2", "prop1 = prop2 foo AND string = 'Test'", "3+5", "True AND 3+5", "a =", "(a = 1", "a LIKE 1",
            "a > 'text'", "a BETWEEN 1", "a IN (1)", "'text'", "a == 1", "= 1",
        };
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        for (String selector : selectors) {
            for (Destination d : new Destination[] {scene.queue, scene.topic}) {
                Scene.refused(InvalidSelectorException.class, "", () -> session.createConsumer(d, selector));
            }
        }
        Scene.check(scene.left(), "");
    }
}
