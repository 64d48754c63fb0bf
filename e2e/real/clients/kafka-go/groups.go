package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// groups lets a second member join and the first one leave while records are consumed.
func groups(ctx context.Context, given plan) (any, error) {
	const topic, group = "go-groups", "go-group"
	seen := &received{values: map[string]int{}}
	if err := write(ctx, given, topic, 4, 0); err != nil {
		return nil, err
	}
	one, err := join(ctx, given, topic, group, seen)
	if err != nil {
		return nil, err
	}
	defer one.leave()
	if err := until(ctx, func() bool { return len(one.held()) == 4 }); err != nil {
		return nil, fmt.Errorf("one member does not hold all: %w", err)
	}
	alone := one.held()
	two, err := join(ctx, given, topic, group, seen)
	if err != nil {
		return nil, err
	}
	defer two.leave()
	if err := until(ctx, func() bool { return len(one.held()) == 2 && len(two.held()) == 2 }); err != nil {
		return nil, fmt.Errorf("the members do not share: %w", err)
	}
	shared := [][]int{one.held(), two.held()}
	if err := until(ctx, func() bool { return seen.atLeast(given, 1) }); err != nil {
		return nil, fmt.Errorf("not everything was read: %w", err)
	}
	one.leave()
	if err := until(ctx, func() bool { return len(two.held()) == 4 }); err != nil {
		return nil, fmt.Errorf("the other does not hold all: %w", err)
	}
	left := two.held()
	if err := write(ctx, given, topic, 4, 0); err != nil {
		return nil, err
	}
	if err := until(ctx, func() bool { return seen.atLeast(given, 2) }); err != nil {
		return nil, fmt.Errorf("not everything was read again: %w", err)
	}
	two.leave()
	committed, err := committedBy(ctx, given, topic, group)
	if err != nil {
		return nil, err
	}
	client := &kafka.Client{Addr: kafka.TCP(given.Bootstrap)}
	deleted, err := client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	if err == nil {
		err = deleted.Errors[group]
	}
	return map[string]any{
		"alone": alone, "shared": shared, "left": left, "values": seen.sorted(), "committed": committed,
	}, err
}

// received counts how often each value was handed to a member.
type received struct {
	mutex  sync.Mutex
	values map[string]int
}

func (r *received) add(value string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.values[value]++
}

func (r *received) atLeast(given plan, times int) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, record := range given.Records {
		if r.values[record[1]] < times {
			return false
		}
	}
	return true
}

func (r *received) sorted() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	values := []string{}
	for value := range r.values {
		values = append(values, value)
	}
	sort.Strings(values)
	return values
}

// member is one consumer of the group; it commits every record that it was handed.
type member struct {
	group *kafka.ConsumerGroup
	ended chan struct{}
	once  sync.Once

	mutex      sync.Mutex
	partitions []int
}

func join(ctx context.Context, given plan, topic, group string, seen *received) (*member, error) {
	joined, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                group,
		Brokers:           []string{given.Bootstrap},
		Topics:            []string{topic},
		StartOffset:       kafka.FirstOffset,
		SessionTimeout:    6 * time.Second,
		HeartbeatInterval: 500 * time.Millisecond,
		JoinGroupBackoff:  500 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	m := &member{group: joined, ended: make(chan struct{})}
	go m.run(ctx, given, topic, seen)
	return m, nil
}

func (m *member) run(ctx context.Context, given plan, topic string, seen *received) {
	defer close(m.ended)
	for {
		generation, err := m.group.Next(ctx)
		if errors.Is(err, kafka.ErrGroupClosed) || ctx.Err() != nil {
			return // the member left, or the trial is over
		}
		if err != nil {
			continue // such as a coordinator that is not there yet; the library has paused before it said so
		}
		m.hold(generation.Assignments[topic])
		for _, assignment := range generation.Assignments[topic] {
			assignment := assignment
			generation.Start(func(ctx context.Context) { consume(ctx, given, topic, generation, assignment, seen) })
		}
	}
}

func consume(ctx context.Context, given plan, topic string, generation *kafka.Generation, assignment kafka.PartitionAssignment, seen *received) {
	reader := newReader(given, topic, assignment.ID)
	defer reader.Close()
	if err := reader.SetOffset(assignment.Offset); err != nil {
		return
	}
	for {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			return // the generation ended
		}
		seen.add(string(message.Value))
		offsets := map[string]map[int]int64{topic: {assignment.ID: message.Offset + 1}}
		if err := generation.CommitOffsets(offsets); err != nil {
			return
		}
	}
}

func (m *member) hold(assignments []kafka.PartitionAssignment) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.partitions = []int{}
	for _, assignment := range assignments {
		m.partitions = append(m.partitions, assignment.ID)
	}
	sort.Ints(m.partitions)
}

func (m *member) held() []int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return append([]int{}, m.partitions...)
}

func (m *member) leave() {
	m.once.Do(func() {
		_ = m.group.Close()
		<-m.ended
	})
}

func committedBy(ctx context.Context, given plan, topic, group string) (int64, error) {
	client := &kafka.Client{Addr: kafka.TCP(given.Bootstrap)}
	response, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: group,
		Topics:  map[string][]int{topic: {0, 1, 2, 3}},
	})
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, partition := range response.Topics[topic] {
		if partition.CommittedOffset > 0 {
			total += partition.CommittedOffset
		}
	}
	return total, response.Error
}
