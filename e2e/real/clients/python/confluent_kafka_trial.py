"""confluent-kafka, which is librdkafka, tried on a broker."""

from typing import Any

import confluent_kafka
import report
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

Plan = dict[str, Any]


def administer(plan: Plan) -> dict[str, Any]:
    admin = AdminClient({"bootstrap.servers": plan["bootstrap"]})
    topic = "confluent-admin"
    resource = ConfigResource(ResourceType.TOPIC, topic)

    def retention() -> str:
        return admin.describe_configs([resource])[resource].result()["retention.ms"].value

    def partitions() -> int:
        return len(admin.list_topics(topic, timeout=10).topics[topic].partitions)

    admin.create_topics([NewTopic(topic, 3, 1, config={"retention.ms": "3600000"})])[topic].result()
    created, before = partitions(), retention()
    entry = ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([change])[change].result()
    report.until("the new retention is seen", lambda: retention() != before)
    after = retention()
    admin.create_partitions([NewPartitions(topic, 5)])[topic].result()
    report.until("the topic has grown", lambda: partitions() == 5)
    try:
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
        refusal = ""
    except KafkaException as error:
        refusal = error.args[0].name()
    admin.delete_topics([topic])[topic].result()
    report.until("the topic is gone", lambda: topic not in admin.list_topics(timeout=10).topics)
    return {"created": created, "retention": [before, after], "grown": 5, "refusal": refusal}


def codecs(plan: Plan) -> dict[str, Any]:
    seen = {}
    for codec in plan["codecs"]:
        topic = f"confluent-{codec}"
        write(plan, topic, {"compression.type": codec}, headers=[("origin", b"confluent")])
        seen[codec] = [
            [message.offset(), message.key().decode(), message.value().decode(), message.headers()[0][0]]
            for message in read(plan, topic, len(plan["records"]))
        ]
    return seen


def idempotent(plan: Plan) -> list[list[str]]:
    write(plan, "confluent-idempotent", {"enable.idempotence": True, "batch.num.messages": 10})
    return pairs(read(plan, "confluent-idempotent", len(plan["records"])))


def transactions(plan: Plan) -> dict[str, Any]:
    topic, source, group = "confluent-transactional", "confluent-none", "confluent-transactions"
    producer = Producer({"bootstrap.servers": plan["bootstrap"], "transactional.id": "confluent"})
    consumer = Consumer({"bootstrap.servers": plan["bootstrap"], "group.id": group})
    producer.init_transactions(30)
    for name, commits in (("first", True), ("dropped", False), ("second", True)):
        producer.begin_transaction()
        for index in range(10):
            producer.produce(topic, f"{name} {index}", partition=0)
        if name == "first":
            metadata = consumer.consumer_group_metadata()
            producer.send_offsets_to_transaction([TopicPartition(source, 0, 7)], metadata, 30)
        if commits:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)
    committed = consumer.committed([TopicPartition(source, 0)], 30)[0].offset
    consumer.close()
    return {
        "committed": [m.value().decode() for m in read(plan, topic, 20, "read_committed")],
        "all": [m.value().decode() for m in read(plan, topic, 30, "read_uncommitted")],
        "groupOffset": committed,
    }


def time(plan: Plan) -> dict[str, Any]:
    topic, first = "confluent-time", plan["firstTimestampMs"]
    producer = Producer({"bootstrap.servers": plan["bootstrap"]})
    for index in range(10):
        producer.produce(topic, str(index), partition=0, timestamp=first + index * 1000)
    producer.flush(30)
    consumer = Consumer({"bootstrap.servers": plan["bootstrap"], "group.id": "confluent-time"})
    between, beyond = (
        consumer.offsets_for_times([TopicPartition(topic, 0, first + after)], 30)[0].offset
        for after in (3500, 60_000)
    )
    consumer.assign([TopicPartition(topic, 0, between)])
    message = report.until("a record", lambda: consumer.poll(1))
    consumer.close()
    return {"offset": between, "value": message.value().decode(), "beyond": "end" if beyond == -1 else beyond}


def groups(plan: Plan) -> dict[str, Any]:
    return share(plan, "confluent-groups", "range")


def cooperative(plan: Plan) -> dict[str, Any]:
    return share(plan, "confluent-cooperative", "cooperative-sticky")


def share(plan: Plan, topic: str, strategy: str) -> dict[str, Any]:
    group, values = f"{topic}-members", []
    admin = AdminClient({"bootstrap.servers": plan["bootstrap"]})
    admin.create_topics([NewTopic(topic, 4, 1)])[topic].result()
    members = []

    def join() -> Consumer:
        settings = {
            "group.id": group,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500,
            "partition.assignment.strategy": strategy,
        }
        member = Consumer({"bootstrap.servers": plan["bootstrap"], **settings})
        member.subscribe([topic])
        members.append(member)
        return member

    def poll(condition: Any) -> bool:
        for member in members:
            message = member.poll(0.05)
            if message is not None and not message.error():
                values.append(message.value().decode())
        return condition()

    def held(member: Consumer) -> list[int]:
        return sorted(assigned.partition for assigned in member.assignment())

    write(plan, topic, {}, partition=None)
    one = join()
    report.until("one member holds all", lambda: poll(lambda: len(held(one)) == 4))
    alone = held(one)
    two = join()
    report.until("both hold two", lambda: poll(lambda: len(held(one)) == len(held(two)) == 2))
    shared = [held(one), held(two)]
    report.until("all is read", lambda: poll(lambda: len(set(values)) == len(plan["records"])))
    members.remove(one)
    one.close()
    report.until("the other holds all", lambda: poll(lambda: len(held(two)) == 4))
    left = held(two)
    write(plan, topic, {}, partition=None)
    report.until("all is read again", lambda: poll(lambda: len(values) >= 2 * len(plan["records"])))
    two.commit(asynchronous=False)
    offsets = two.committed([TopicPartition(topic, partition) for partition in range(4)], 30)
    two.close()
    admin.delete_consumer_groups([group])[group].result()
    return {
        "alone": alone,
        "shared": shared,
        "left": left,
        "values": sorted(set(values)),
        "committed": sum(max(offset.offset, 0) for offset in offsets),
    }


def write(plan: Plan, topic: str, settings: dict[str, Any], headers: Any = None, partition: int | None = 0) -> None:
    producer = Producer({"bootstrap.servers": plan["bootstrap"], "linger.ms": 50, **settings})
    for key, value in plan["records"]:
        where = {} if partition is None else {"partition": partition}
        producer.produce(topic, value, key, headers=headers, **where)
    if producer.flush(30) > 0:
        raise TimeoutError("not everything was acknowledged within 30 s")


def read(plan: Plan, topic: str, count: int, isolation: str = "read_committed") -> list[Any]:
    """Exactly `count` records from the beginning of partition 0, and not one more within a second."""
    settings = {"group.id": "confluent-readers", "isolation.level": isolation, "enable.auto.commit": False}
    consumer = Consumer({"bootstrap.servers": plan["bootstrap"], **settings})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages: list[Any] = []
    while len(messages) < count:
        messages.append(report.until(f"record {len(messages)} of {topic}", lambda: consumer.poll(1)))
    surplus = consumer.poll(0.3)
    consumer.close()
    return messages if surplus is None else [*messages, surplus]


def pairs(messages: list[Any]) -> list[list[str]]:
    return [[message.key().decode(), message.value().decode()] for message in messages]


report.run(
    f"confluent-kafka {confluent_kafka.__version__} with librdkafka {confluent_kafka.libversion()[0]}",
    {
        "admin": administer,
        "codecs": codecs,
        "idempotent": idempotent,
        "transactions": transactions,
        "time": time,
        "groups": groups,
        "cooperative": cooperative,
    },
)
