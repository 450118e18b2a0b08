/**
 * What the dashboard shows. Sums and histograms are there however many certificates there are; panels on single
 * certificates say that above --certificate-series they are empty.
 */
import { authorities } from './authorities.ts';
import { certificates } from './certificates.ts';
import { controller } from './controller.ts';
import { overview } from './overview.ts';
import type { Row } from './panel.ts';
import { policy } from './policy.ts';
import { rotations } from './rotations.ts';
import { trust } from './trust.ts';

export const ROWS: readonly Row[] = [
  { title: 'Overview', panels: overview },
  { title: 'Certificates', panels: certificates },
  { title: 'Rotations', panels: rotations },
  { title: 'Authorities', panels: authorities },
  { title: 'CA rotation and trust', panels: trust },
  { title: 'Policy', panels: policy },
  { title: 'Controller', panels: controller },
];
