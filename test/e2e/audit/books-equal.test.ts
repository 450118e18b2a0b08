import { compareBooks } from './books-equal.ts';

compareBooks({ certificates: 20, renewals: 1, kills: 2, lostShare: 0.15 });
