import { tryClient } from './client-suite.ts';
import { pythonTrial } from './python.ts';

await tryClient({
  title: 'confluent-kafka for Python (librdkafka)',
  program: await pythonTrial('confluent_kafka_trial.py'),
  prefix: 'confluent',
});

await tryClient({
  title: 'kafka-python',
  program: await pythonTrial('kafka_python_trial.py'),
  prefix: 'python',
  without: ['cooperative'],
});
