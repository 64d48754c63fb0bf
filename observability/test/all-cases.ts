import type { AlertCase } from './alert-case.ts';
import { burnCases } from './cases/burn.ts';
import { captureCases } from './cases/capture.ts';
import { lagCases } from './cases/lag.ts';
import { machineCases } from './cases/machine.ts';
import { metaCases } from './cases/meta.ts';
import { pipelineCases } from './cases/pipelines.ts';
import { serviceCases } from './cases/services.ts';

export const alertCases: readonly AlertCase[] = [
  ...serviceCases,
  ...captureCases,
  ...pipelineCases,
  ...lagCases,
  ...machineCases,
  ...metaCases,
  ...burnCases,
];
