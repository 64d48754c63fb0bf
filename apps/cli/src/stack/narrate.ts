import type { SupervisorEvents } from '../supervisor/supervisor.ts';
import type { Terminal } from '../terminal.ts';

/** Tells on the terminal what the supervisor does. */
export function narrate(terminal: Terminal): SupervisorEvents {
  const { style } = terminal;
  const underWay = new Set<string>();
  const showProgress = () => {
    if (underWay.size > 0) terminal.progress(`  … ${[...underWay].join(', ')}`);
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return {
    started(name) {
      underWay.add(name);
      showProgress();
    },
    done(name, detail, tookMs) {
      underWay.delete(name);
      terminal.print(
        `  ${style.green('✓')} ${name.padEnd(14)} ${detail.padEnd(34)} ${style.dim(seconds(tookMs))}`,
      );
      showProgress();
    },
    died(name, how, restartInMs) {
      terminal.print(`  ${style.yellow('!')} ${name} ${how}; starting it again in ${seconds(restartInMs)}`);
    },
    recovered(name, tookMs) {
      terminal.print(`  ${style.green('✓')} ${name} is back after ${seconds(tookMs)}`);
    },
    gaveUp(name, how, lastLines) {
      terminal.print(`  ${style.red('✗')} ${name} ${how} and keeps dying; its last words:`);
      for (const line of lastLines) terminal.print(`      ${line}`);
    },
  };
}
