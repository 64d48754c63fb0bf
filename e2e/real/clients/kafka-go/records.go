package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// compressions by the names that Kafka gives its codecs.
var compressions = map[string]kafka.Compression{
	"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
}

// codecs writes and reads all records with every codec.
func codecs(ctx context.Context, given plan) (any, error) {
	seen := map[string]any{}
	for _, codec := range given.Codecs {
		topic := "go-" + codec
		if err := write(ctx, given, topic, 1, compressions[codec]); err != nil {
			return nil, fmt.Errorf("%s: %w", codec, err)
		}
		messages, err := read(ctx, given, topic, 0, len(given.Records))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", codec, err)
		}
		rows := [][]any{}
		for _, message := range messages {
			rows = append(rows, []any{message.Offset, string(message.Key), string(message.Value), message.Headers[0].Key})
		}
		seen[codec] = rows
	}
	return seen, nil
}

// seekByTime asks for the offset of a moment between two records, and of one after the last.
func seekByTime(ctx context.Context, given plan) (any, error) {
	const topic = "go-time"
	client := &kafka.Client{Addr: kafka.TCP(given.Bootstrap)}
	if err := createTopic(ctx, client, topic, 1); err != nil {
		return nil, err
	}
	first := time.UnixMilli(given.FirstTimestampMs)
	messages := []kafka.Message{}
	for index := 0; index < 10; index++ {
		moment := first.Add(time.Duration(index) * time.Second)
		messages = append(messages, kafka.Message{Value: []byte(strconv.Itoa(index)), Time: moment})
	}
	writer := &kafka.Writer{Addr: kafka.TCP(given.Bootstrap), Topic: topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer writer.Close()
	if err := writer.WriteMessages(ctx, messages...); err != nil {
		return nil, err
	}
	conn, err := kafka.DialLeader(ctx, "tcp", given.Bootstrap, topic, 0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	between, err := conn.ReadOffset(first.Add(3500 * time.Millisecond))
	if err != nil {
		return nil, err
	}
	found, err := read(ctx, given, topic, between, 1)
	if err != nil {
		return nil, err
	}
	beyond, err := conn.ReadOffset(first.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	result := map[string]any{"offset": between, "value": string(found[0].Value), "beyond": any(beyond)}
	if beyond == -1 {
		result["beyond"] = "end"
	}
	return result, nil
}

// write creates the topic where it is new, and writes all records to it.
func write(ctx context.Context, given plan, topic string, partitions int, codec kafka.Compression) error {
	client := &kafka.Client{Addr: kafka.TCP(given.Bootstrap)}
	if err := createTopic(ctx, client, topic, partitions); err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
		return err
	}
	writer := &kafka.Writer{
		Addr:         kafka.TCP(given.Bootstrap),
		Topic:        topic,
		Balancer:     kafka.Murmur2Balancer{},
		Compression:  codec,
		RequiredAcks: kafka.RequireAll,
		BatchTimeout: 50 * time.Millisecond,
	}
	defer writer.Close()
	messages := []kafka.Message{}
	for _, record := range given.Records {
		headers := []kafka.Header{{Key: "origin", Value: []byte("go")}}
		messages = append(messages, kafka.Message{Key: []byte(record[0]), Value: []byte(record[1]), Headers: headers})
	}
	return writer.WriteMessages(ctx, messages...)
}

// read answers count records of partition 0 from an offset on.
func read(ctx context.Context, given plan, topic string, offset int64, count int) ([]kafka.Message, error) {
	reader := newReader(given, topic, 0)
	defer reader.Close()
	if err := reader.SetOffset(offset); err != nil {
		return nil, err
	}
	messages := []kafka.Message{}
	for len(messages) < count {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(messages), count, err)
		}
		messages = append(messages, message)
	}
	return messages, nil
}

func newReader(given plan, topic string, partition int) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers:   []string{given.Bootstrap},
		Topic:     topic,
		Partition: partition,
		MaxWait:   200 * time.Millisecond, // closing a reader waits until its last fetch was answered
	})
}
