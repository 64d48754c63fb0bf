import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java client tried on a broker. The plan (broker, records, names) arrives as one JSON document on standard input;
 * every section prints one line of JSON: its result, or the error that ended it. Judging is not done here.
 */
public final class JavaTrial {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration SHORTLY = Duration.ofMillis(50);

  private final String bootstrap;
  private final List<String> codecs = new ArrayList<>();
  private final List<List<String>> records = new ArrayList<>();
  private final long firstTimestampMs;

  private JavaTrial(JsonNode plan) {
    bootstrap = plan.get("bootstrap").asText();
    plan.get("codecs").forEach(codec -> codecs.add(codec.asText()));
    plan.get("records").forEach(pair -> records.add(List.of(pair.get(0).asText(), pair.get(1).asText())));
    firstTimestampMs = plan.get("firstTimestampMs").asLong();
  }

  public static void main(String[] args) throws Exception {
    JavaTrial trial = new JavaTrial(JSON.readTree(System.in));
    say("client", () -> "kafka-clients " + AppInfoParser.getVersion());
    say("admin", trial::administer);
    say("codecs", trial::writeWithCodecs);
    say("idempotent", trial::writeIdempotently);
    say("transactions", trial::writeInTransactions);
    say("time", trial::seekByTime);
    say("groups", () -> trial.shareInGroup("java-groups", RangeAssignor.class));
    say("cooperative", () -> trial.shareInGroup("java-cooperative", CooperativeStickyAssignor.class));
  }

  /** Runs a section; whatever a client throws is a finding about the broker. */
  private static void say(String section, Callable<?> run) throws Exception {
    Map<String, Object> line = new LinkedHashMap<>(Map.of("section", section));
    try {
      line.put("result", run.call());
    } catch (Exception error) {
      StringWriter trace = new StringWriter();
      error.printStackTrace(new PrintWriter(trace));
      line.put("error", trace.toString());
    }
    System.out.println(JSON.writeValueAsString(line));
  }

  private Object administer() throws Exception {
    String topic = "java-admin";
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = admin()) {
      NewTopic wanted = new NewTopic(topic, 3, (short) 1).configs(Map.of("retention.ms", "3600000"));
      done(admin.createTopics(List.of(wanted)).all());
      int created = partitionsOf(admin, topic);
      String before = retentionOf(admin, resource);
      ConfigEntry entry = new ConfigEntry("retention.ms", "7200000");
      AlterConfigOp change = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
      done(admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all());
      until("the new retention is seen", () -> !retentionOf(admin, resource).equals(before));
      String after = retentionOf(admin, resource);
      done(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all());
      until("the topic has grown", () -> partitionsOf(admin, topic) == 5);
      String refusal = refusalOf(admin, wanted);
      done(admin.deleteTopics(List.of(topic)).all());
      until("the topic is gone", () -> !done(admin.listTopics().names()).contains(topic));
      return Map.of("created", created, "retention", List.of(before, after), "grown", 5, "refusal", refusal);
    }
  }

  private static int partitionsOf(Admin admin, String topic) {
    return done(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic).partitions().size();
  }

  private static String retentionOf(Admin admin, ConfigResource resource) {
    return done(admin.describeConfigs(List.of(resource)).all()).get(resource).get("retention.ms").value();
  }

  private static String refusalOf(Admin admin, NewTopic topic) throws Exception {
    try {
      admin.createTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
      return "";
    } catch (ExecutionException error) {
      if (error.getCause() instanceof TopicExistsException) return "TOPIC_ALREADY_EXISTS";
      throw error;
    }
  }

  private Object writeWithCodecs() {
    Map<String, Object> seen = new HashMap<>();
    for (String codec : codecs) {
      String topic = "java-" + codec;
      write(topic, 0, Map.of("compression.type", codec, "enable.idempotence", "false"));
      List<Object> rows = new ArrayList<>();
      for (ConsumerRecord<String, String> record : read(topic, records.size(), "read_committed")) {
        rows.add(List.of(record.offset(), record.key(), record.value(), record.headers().iterator().next().key()));
      }
      seen.put(codec, rows);
    }
    return seen;
  }

  private Object writeIdempotently() {
    write("java-idempotent", 0, Map.of("enable.idempotence", "true", "batch.size", "500"));
    List<Object> rows = new ArrayList<>();
    for (ConsumerRecord<String, String> record : read("java-idempotent", records.size(), "read_committed")) {
      rows.add(List.of(record.key(), record.value()));
    }
    return rows;
  }

  private Object writeInTransactions() {
    String topic = "java-transactional";
    TopicPartition source = new TopicPartition("java-none", 0);
    try (KafkaProducer<String, String> producer = producer(Map.of("transactional.id", "java"));
        KafkaConsumer<String, String> consumer = consumer(Map.of("group.id", "java-transactions"))) {
      producer.initTransactions();
      for (String name : List.of("first", "dropped", "second")) {
        producer.beginTransaction();
        for (int index = 0; index < 10; index += 1) {
          producer.send(new ProducerRecord<>(topic, 0, null, name + " " + index));
        }
        if (name.equals("first")) {
          producer.sendOffsetsToTransaction(Map.of(source, new OffsetAndMetadata(7)), consumer.groupMetadata());
        }
        producer.flush();
        if (name.equals("dropped")) producer.abortTransaction();
        else producer.commitTransaction();
      }
      long committed = consumer.committed(Set.of(source)).get(source).offset();
      return Map.of(
          "committed", valuesOf(read(topic, 20, "read_committed")),
          "all", valuesOf(read(topic, 30, "read_uncommitted")),
          "groupOffset", committed);
    }
  }

  private Object seekByTime() {
    TopicPartition partition = new TopicPartition("java-time", 0);
    try (KafkaProducer<String, String> producer = producer(Map.of())) {
      for (int index = 0; index < 10; index += 1) {
        long timestamp = firstTimestampMs + index * 1000L;
        producer.send(new ProducerRecord<>(partition.topic(), 0, timestamp, null, String.valueOf(index)));
      }
    }
    try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
      consumer.assign(List.of(partition));
      OffsetAndTimestamp between = consumer.offsetsForTimes(Map.of(partition, firstTimestampMs + 3500)).get(partition);
      OffsetAndTimestamp beyond = consumer.offsetsForTimes(Map.of(partition, firstTimestampMs + 60_000)).get(partition);
      consumer.seek(partition, between.offset());
      List<String> values = new ArrayList<>();
      until("a record", () -> values.addAll(valuesOf(consumer.poll(SHORTLY).records(partition))));
      Object end = beyond == null ? "end" : beyond.offset();
      return Map.of("offset", between.offset(), "value", values.get(0), "beyond", end);
    }
  }

  private Object shareInGroup(String topic, Class<?> assignor) {
    String group = topic + "-members";
    List<String> values = new ArrayList<>();
    List<KafkaConsumer<String, String>> members = new ArrayList<>();
    Map<String, String> settings =
        Map.of("group.id", group, "session.timeout.ms", "6000", "heartbeat.interval.ms", "500",
            "partition.assignment.strategy", assignor.getName());
    Runnable poll = () -> members.forEach(member -> member.poll(SHORTLY).forEach(record -> values.add(record.value())));
    try (Admin admin = admin()) {
      done(admin.createTopics(List.of(new NewTopic(topic, 4, (short) 1))).all());
      write(topic, null, Map.of());
      KafkaConsumer<String, String> one = join(members, topic, settings);
      until("one member holds all", () -> { poll.run(); return held(one).size() == 4; });
      List<Integer> alone = held(one);
      KafkaConsumer<String, String> two = join(members, topic, settings);
      until("both hold two", () -> { poll.run(); return held(one).size() == 2 && held(two).size() == 2; });
      List<List<Integer>> shared = List.of(held(one), held(two));
      until("all is read", () -> { poll.run(); return new TreeSet<>(values).size() == records.size(); });
      members.remove(one);
      one.close();
      until("the other holds all", () -> { poll.run(); return held(two).size() == 4; });
      List<Integer> left = held(two);
      write(topic, null, Map.of());
      until("all is read again", () -> { poll.run(); return values.size() >= 2 * records.size(); });
      two.commitSync();
      long committed = two.committed(two.assignment()).values().stream().mapToLong(OffsetAndMetadata::offset).sum();
      two.close();
      done(admin.deleteConsumerGroups(List.of(group)).all());
      return Map.of("alone", alone, "shared", shared, "left", left,
          "values", new TreeSet<>(values), "committed", committed);
    }
  }

  private KafkaConsumer<String, String> join(
      List<KafkaConsumer<String, String>> members, String topic, Map<String, String> settings) {
    KafkaConsumer<String, String> member = consumer(settings);
    member.subscribe(List.of(topic));
    members.add(member);
    return member;
  }

  private static List<Integer> held(KafkaConsumer<String, String> member) {
    return member.assignment().stream().map(TopicPartition::partition).sorted().toList();
  }

  private void write(String topic, Integer partition, Map<String, String> settings) {
    List<Future<?>> sent = new ArrayList<>();
    try (KafkaProducer<String, String> producer = producer(settings)) {
      for (List<String> record : records) {
        ProducerRecord<String, String> written = new ProducerRecord<>(topic, partition, record.get(0), record.get(1));
        written.headers().add("origin", "java".getBytes(UTF_8));
        sent.add(producer.send(written));
      }
    }
    sent.forEach(JavaTrial::done);
  }

  /** Exactly `count` records from the beginning of partition 0, and not one more for a moment after. */
  private List<ConsumerRecord<String, String>> read(String topic, int count, String isolation) {
    TopicPartition partition = new TopicPartition(topic, 0);
    List<ConsumerRecord<String, String>> found = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = consumer(Map.of("isolation.level", isolation))) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      until(count + " records of " + topic, () -> {
        found.addAll(consumer.poll(SHORTLY).records(partition));
        return found.size() >= count;
      });
      found.addAll(consumer.poll(Duration.ofMillis(300)).records(partition));
    }
    return found;
  }

  private static List<String> valuesOf(List<ConsumerRecord<String, String>> records) {
    return records.stream().map(ConsumerRecord::value).toList();
  }

  private Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  private KafkaProducer<String, String> producer(Map<String, String> settings) {
    return new KafkaProducer<>(with(settings, "linger.ms", "50"), new StringSerializer(), new StringSerializer());
  }

  private KafkaConsumer<String, String> consumer(Map<String, String> settings) {
    Map<String, Object> all = with(settings, "auto.offset.reset", "earliest");
    return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
  }

  private Map<String, Object> with(Map<String, String> settings, String name, String value) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("bootstrap.servers", bootstrap);
    all.put(name, value);
    return all;
  }

  private static <T> T done(Future<T> future) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Looks again and again, for at most half a minute. */
  private static void until(String what, BooleanSupplier look) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (System.nanoTime() < deadline) {
      if (look.getAsBoolean()) return;
    }
    throw new IllegalStateException("not within 30 s: " + what);
  }
}
