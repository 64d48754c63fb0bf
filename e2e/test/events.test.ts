import { startEmbeddedEventBroker } from '../src/events/event-broker.ts';
import { eventsUnderFire } from '../src/scenarios/events-under-fire.ts';

eventsUnderFire({ title: 'review events under fire', startBroker: startEmbeddedEventBroker });
