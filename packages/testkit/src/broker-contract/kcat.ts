import { spawn, spawnSync } from 'node:child_process';
import type { BrokerTarget } from './target.ts';

/** kcat is librdkafka: the client library behind most languages that are not Java. */
export const kcatIsPresent = spawnSync('kcat', ['-V']).status === 0;

const TIMEOUT_MS = 20_000;

/** Runs kcat against the target and returns the lines it printed. Fails with what it said when it fails. */
export function kcat(target: BrokerTarget, args: readonly string[], input = ''): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', target.address(), ...args], { timeout: TIMEOUT_MS });
    let output = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve(output === '' ? [] : output.replace(/\n$/, '').split('\n'));
      else reject(new Error(`kcat ${args.join(' ')} ended with ${code}: ${complaints}`));
    });
    child.stdin.end(input);
  });
}
