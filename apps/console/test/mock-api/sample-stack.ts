import type { Overview, Pipeline, Review, Station, User } from '@tidemark/contracts';
import { pick, type Random, reviewTexts } from './sample-rows.ts';

/** How the mock's stack is doing. */
export type Health = 'well' | 'behind' | 'broken';

const people = [
  ['admin@example.com', 'admin'],
  ['grace.hopper@example.com', 'admin'],
  ['radia.perlman@example.com', 'operator'],
  ['leslie.lamport@example.com', 'operator'],
  ['barbara.liskov@example.com', 'viewer'],
  ['tony.hoare@example.com', 'viewer'],
  ['frances.allen@example.com', 'viewer'],
] as const;

export function sampleUsers(nowMs: number): User[] {
  return people.map(([email, role], index) => ({
    id: index === 1 ? 42 : index + 1,
    email,
    role,
    createdAt: new Date(nowMs - (9 - index) * 86_400_000 * 3).toISOString(),
    updatedAt: new Date(nowMs - (index + 1) * 5_400_000).toISOString(),
  }));
}

export function sampleReviews(random: Random, nowMs: number): Review[] {
  return Array.from({ length: 24 }, (_, index) => ({
    reviewId: `r-0193${index.toString(16).padStart(8, '0')}`,
    userKey: `user:${1 + ((index * 7) % 40)}`,
    rating: 1 + Math.floor(random() * 5),
    text: pick(random, reviewTexts),
    createdAt: new Date(nowMs - index * 194_000 - 30_000).toISOString(),
  }));
}

/** An overview that moves a little from one asking to the next. */
export function sampleOverview(health: Health, nowMs: number, wave: number): Overview {
  const rate =
    health === 'broken' ? 0 : 1180 + Math.round(Math.sin(wave / 6) * 240 + Math.sin(wave / 2.3) * 60);
  return {
    at: new Date(nowMs).toISOString(),
    stations: stations(health, rate, wave),
    freshness: {
      p50Seconds: health === 'well' ? 0.041 + Math.sin(wave / 5) * 0.004 : 3.9,
      p99Seconds: health === 'well' ? 0.118 + Math.sin(wave / 4) * 0.02 : 14.2,
      changes: 351_220 + wave,
    },
    unaccounted: health === 'broken' ? 3 : 0,
    deadLetters: health === 'well' ? 2 : 17,
  };
}

function stations(health: Health, rate: number, wave: number): Station[] {
  const behind = health === 'behind';
  const broken = health === 'broken';
  const total = 4_810_220 + wave * 1200;
  const lagEvents = behind ? 48_210 : broken ? 131_872 : Math.max(0, Math.round(Math.sin(wave / 3) * 9));
  return [
    {
      id: 'database',
      label: 'Database',
      state: 'ok',
      ratePerSec: rate,
      total,
      lag: null,
      detail: 'PostgreSQL 18, sre_app',
    },
    {
      id: 'capture',
      label: 'Capture',
      state: 'ok',
      ratePerSec: rate,
      total,
      lag: { value: broken ? 0 : 0.012, unit: 'seconds' },
      detail: 'Changefeed sre-cdc, normal',
    },
    {
      id: 'broker',
      label: 'Broker',
      state: 'ok',
      ratePerSec: rate,
      total,
      lag: null,
      detail: '3 topics, 10 partitions',
    },
    {
      id: 'consumer',
      label: 'Consumer',
      state: broken ? 'down' : behind ? 'degraded' : 'ok',
      ratePerSec: broken ? null : behind ? 412 : rate,
      total: broken ? null : total - lagEvents,
      lag: { value: lagEvents, unit: 'events' },
      detail: broken
        ? 'No answer from 127.0.0.1:8001'
        : behind
          ? 'The sink of changes-to-store is slow'
          : '3 pipelines running',
    },
    {
      id: 'store',
      label: 'Change store',
      state: broken ? 'unknown' : 'ok',
      ratePerSec: behind ? 412 : rate,
      total: total - lagEvents,
      lag: null,
      detail: 'Table change_events',
    },
  ];
}

export function samplePipelines(health: Health, nowMs: number, wave: number): Pipeline[] {
  const state = health === 'well' ? 'running' : health === 'behind' ? 'waiting' : 'unknown';
  return [
    pipeline(
      'changes-to-store',
      'tidb-cdc-consumer',
      'tidb_cdc',
      'postgres: change_events',
      {
        state,
        lag: health === 'well' ? 4 : 48_210,
        partitions: 3,
        read: 1_603_400,
        duplicate: 1204,
        deadLettered: 0,
      },
      nowMs,
      wave,
    ),
    pipeline(
      'changes-to-log',
      'tidb-cdc-consumer-log',
      'tidb_cdc',
      'log',
      { state: 'running', lag: 0, partitions: 3, read: 1_604_100, duplicate: 0, deadLettered: 0 },
      nowMs,
      wave,
    ),
    pipeline(
      'reviews-to-postgres',
      'streamsre-consumer',
      'events.main',
      'postgres: reviews',
      {
        state: 'running',
        lag: 0,
        partitions: 6,
        read: 20_334,
        duplicate: 12,
        deadLettered: health === 'well' ? 1 : 9,
      },
      nowMs,
      wave,
    ),
  ];
}

interface Shape {
  readonly state: string;
  readonly lag: number;
  readonly partitions: number;
  readonly read: number;
  readonly duplicate: number;
  readonly deadLettered: number;
}

function pipeline(
  name: string,
  group: string,
  topic: string,
  sink: string,
  shape: Shape,
  nowMs: number,
  wave: number,
): Pipeline {
  const read = shape.read + wave * 400;
  return {
    name,
    group,
    topic,
    sink,
    state: shape.state,
    lag: shape.lag,
    ratePerSec: topic === 'tidb_cdc' ? 1180 : 6.4,
    partitions: Array.from({ length: shape.partitions }, (_, partition) => {
      const lag = partition === 0 ? shape.lag : 0;
      return {
        topic,
        partition,
        position: String(read + partition * 31),
        endOffset: String(read + partition * 31 + lag),
        lag,
        ledger: {
          read,
          delivered: read - shape.duplicate - shape.deadLettered - 2,
          duplicate: shape.duplicate,
          filtered: 2,
          deadLettered: shape.deadLettered,
        },
        updatedAt: new Date(nowMs - partition * 700).toISOString(),
      };
    }),
  };
}
