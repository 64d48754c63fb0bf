package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// administer creates, describes, changes, grows and deletes a topic.
func administer(ctx context.Context, given plan) (any, error) {
	const topic = "go-admin"
	client := &kafka.Client{Addr: kafka.TCP(given.Bootstrap)}
	if err := createTopic(ctx, client, topic, 3, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "3600000"}); err != nil {
		return nil, err
	}
	created, err := partitionsOf(ctx, client, topic)
	if err != nil {
		return nil, err
	}
	before, err := retentionOf(ctx, client, topic)
	if err != nil {
		return nil, err
	}
	if err := setRetention(ctx, client, topic, "7200000"); err != nil {
		return nil, err
	}
	after := before
	err = until(ctx, func() bool {
		after, err = retentionOf(ctx, client, topic)
		return err != nil || after != before
	})
	if err != nil {
		return nil, fmt.Errorf("the new retention is not seen: %w", err)
	}
	grow := &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 5}}}
	grown, err := client.CreatePartitions(ctx, grow)
	if err == nil {
		err = grown.Errors[topic]
	}
	if err != nil {
		return nil, err
	}
	if err := until(ctx, func() bool { count, _ := partitionsOf(ctx, client, topic); return count == 5 }); err != nil {
		return nil, fmt.Errorf("the topic has not grown: %w", err)
	}
	refusal := createTopic(ctx, client, topic, 1)
	deleted, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err == nil {
		err = deleted.Errors[topic]
	}
	if err != nil {
		return nil, err
	}
	if err := until(ctx, func() bool { count, err := partitionsOf(ctx, client, topic); return err != nil || count == 0 }); err != nil {
		return nil, fmt.Errorf("the topic is still there: %w", err)
	}
	return map[string]any{
		"created":   created,
		"retention": []string{before, after},
		"grown":     5,
		"refusal":   nameOf(refusal),
	}, nil
}

func createTopic(ctx context.Context, client *kafka.Client, topic string, partitions int, configs ...kafka.ConfigEntry) error {
	response, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic:             topic,
		NumPartitions:     partitions,
		ReplicationFactor: 1,
		ConfigEntries:     configs,
	}}})
	if err != nil {
		return err
	}
	return response.Errors[topic]
}

func partitionsOf(ctx context.Context, client *kafka.Client, topic string) (int, error) {
	response, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	return len(response.Topics[0].Partitions), response.Topics[0].Error
}

func retentionOf(ctx context.Context, client *kafka.Client, topic string) (string, error) {
	response, err := client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic,
			ResourceName: topic,
			ConfigNames:  []string{"retention.ms"},
		}},
	})
	if err != nil {
		return "", err
	}
	resource := response.Resources[0]
	if resource.Error != nil {
		return "", resource.Error
	}
	return resource.ConfigEntries[0].ConfigValue, nil
}

func setRetention(ctx context.Context, client *kafka.Client, topic, value string) error {
	response, err := client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic,
			ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{
				Name:            "retention.ms",
				Value:           value,
				ConfigOperation: kafka.ConfigOperationSet,
			}},
		}},
	})
	if err != nil {
		return err
	}
	return response.Resources[0].Error
}

// nameOf is the protocol's name of an error, as the other clients give it.
func nameOf(err error) string {
	if errors.Is(err, kafka.TopicAlreadyExists) {
		return "TOPIC_ALREADY_EXISTS"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// until looks again and again, a few times a second, until the condition holds or the context ends.
func until(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}
