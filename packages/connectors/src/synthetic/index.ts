export {
  defaultShape,
  type EncodedEvent,
  EventGenerator,
  encode,
  type TrafficShape,
} from './event-generator.ts';
export { EventSender, type SenderObserver } from './event-sender.ts';
export { chooseSeed, type ProduceOptions, type ProduceResult, produce } from './produce.ts';
export {
  type ProductionProgress,
  SteadyProduction,
  type SteadyProductionOptions,
} from './steady-production.ts';
export { type TrafficConfig, trafficOf, trafficSettings } from './traffic-settings.ts';
export { uuidV7Maker } from './uuid-v7.ts';
