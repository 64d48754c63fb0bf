"""kafka-python, a client in pure Python, tried on a broker."""

from typing import Any

import kafka
import report
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, KafkaAdminClient
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

Plan = dict[str, Any]


def administer(plan: Plan) -> dict[str, Any]:
    admin = KafkaAdminClient(bootstrap_servers=plan["bootstrap"])
    topic = "python-admin"

    def retention() -> str:
        told = admin.describe_configs([ConfigResource("TOPIC", topic)])
        return told["topic"][topic]["retention.ms"]["value"]

    def partitions() -> int:
        return len(admin.describe_topics([topic])[0]["partitions"])

    options = {"num_partitions": 3, "replication_factor": 1, "configs": {"retention.ms": "3600000"}}
    admin.create_topics({topic: options}, wait_for_metadata=True)
    created, before = partitions(), retention()
    admin.alter_configs([ConfigResource("TOPIC", topic, {"retention.ms": "7200000"})])
    report.until("the new retention is seen", lambda: retention() != before)
    after = retention()
    admin.create_partitions({topic: 5})
    report.until("the topic has grown", lambda: partitions() == 5)
    try:
        admin.create_topics({topic: options})
        refusal = ""
    except KafkaError as error:
        refusal = error.message
    admin.delete_topics([topic])
    report.until("the topic is gone", lambda: topic not in admin.list_topics())
    admin.close()
    return {"created": created, "retention": [before, after], "grown": 5, "refusal": refusal}


def codecs(plan: Plan) -> dict[str, Any]:
    seen = {}
    for codec in plan["codecs"]:
        topic = f"python-{codec}"
        write(plan, topic, {"compression_type": None if codec == "none" else codec}, headers=[("origin", b"python")])
        seen[codec] = [
            [record.offset, record.key.decode(), record.value.decode(), record.headers[0][0]]
            for record in read(plan, topic, len(plan["records"]))
        ]
    return seen


def idempotent(plan: Plan) -> list[list[str]]:
    write(plan, "python-idempotent", {"enable_idempotence": True, "batch_size": 500})
    records = read(plan, "python-idempotent", len(plan["records"]))
    return [[record.key.decode(), record.value.decode()] for record in records]


def transactions(plan: Plan) -> dict[str, Any]:
    topic, source, group = "python-transactional", TopicPartition("python-none", 0), "python-transactions"
    producer = KafkaProducer(bootstrap_servers=plan["bootstrap"], transactional_id="python")
    producer.init_transactions()
    for name, commits in (("first", True), ("dropped", False), ("second", True)):
        producer.begin_transaction()
        for index in range(10):
            producer.send(topic, f"{name} {index}".encode(), partition=0)
        if name == "first":
            producer.send_offsets_to_transaction({source: OffsetAndMetadata(7, "", -1)}, group)
        producer.flush(30)
        if commits:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=plan["bootstrap"], group_id=group)
    committed = consumer.committed(source)
    consumer.close()
    return {
        "committed": [record.value.decode() for record in read(plan, topic, 20, "read_committed")],
        "all": [record.value.decode() for record in read(plan, topic, 30, "read_uncommitted")],
        "groupOffset": committed,
    }


def time(plan: Plan) -> dict[str, Any]:
    topic, first = "python-time", plan["firstTimestampMs"]
    producer = KafkaProducer(bootstrap_servers=plan["bootstrap"])
    for index in range(10):
        producer.send(topic, str(index).encode(), partition=0, timestamp_ms=first + index * 1000)
    producer.close()
    consumer, partition = KafkaConsumer(bootstrap_servers=plan["bootstrap"]), TopicPartition(topic, 0)
    consumer.assign([partition])
    between = consumer.offsets_for_times({partition: first + 3500})[partition]
    beyond = consumer.offsets_for_times({partition: first + 60_000})[partition]
    consumer.seek(partition, between.offset)
    records = report.until("a record", lambda: consumer.poll(1000))[partition]
    consumer.close()
    return {"offset": between.offset, "value": records[0].value.decode(), "beyond": "end" if beyond is None else beyond}


def groups(plan: Plan) -> dict[str, Any]:
    topic, group, values = "python-groups", "python-group", []
    admin = KafkaAdminClient(bootstrap_servers=plan["bootstrap"])
    admin.create_topics({topic: {"num_partitions": 4, "replication_factor": 1}}, wait_for_metadata=True)
    members = []

    def join() -> KafkaConsumer:
        member = KafkaConsumer(
            topic,
            bootstrap_servers=plan["bootstrap"],
            group_id=group,
            auto_offset_reset="earliest",
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
        )
        members.append(member)
        return member

    def poll(condition: Any) -> bool:
        for member in members:
            for records in member.poll(50).values():
                values.extend(record.value.decode() for record in records)
        return condition()

    def held(member: KafkaConsumer) -> list[int]:
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
    two.commit()
    committed = [two.committed(TopicPartition(topic, partition)) for partition in range(4)]
    two.close()
    removed = admin.delete_groups([group])
    admin.close()
    if removed != {group: "OK"}:
        raise RuntimeError(f"the group was not deleted: {removed}")
    return {
        "alone": alone,
        "shared": shared,
        "left": left,
        "values": sorted(set(values)),
        "committed": sum(offset or 0 for offset in committed),
    }


def write(plan: Plan, topic: str, settings: dict[str, Any], headers: Any = None, partition: int | None = 0) -> None:
    producer = KafkaProducer(bootstrap_servers=plan["bootstrap"], linger_ms=50, **settings)
    sent = [
        producer.send(topic, value.encode(), key.encode(), headers=headers, partition=partition)
        for key, value in plan["records"]
    ]
    producer.close(30)
    for future in sent:
        future.get(0)


def read(plan: Plan, topic: str, count: int, isolation: str = "read_committed") -> list[Any]:
    """Exactly `count` records from the beginning of partition 0, and not one more for a moment after."""
    consumer, partition = (
        KafkaConsumer(bootstrap_servers=plan["bootstrap"], isolation_level=isolation),
        TopicPartition(topic, 0),
    )
    consumer.assign([partition])
    consumer.seek(partition, 0)
    records: list[Any] = []

    def poll(wait_ms: int) -> bool:
        records.extend(consumer.poll(wait_ms).get(partition, []))
        return len(records) >= count

    report.until(f"{count} records of {topic}", lambda: poll(1000))
    poll(300)
    consumer.close()
    return records


report.run(
    f"kafka-python {kafka.__version__}",
    {
        "admin": administer,
        "codecs": codecs,
        "idempotent": idempotent,
        "transactions": transactions,
        "time": time,
        "groups": groups,
    },
)
