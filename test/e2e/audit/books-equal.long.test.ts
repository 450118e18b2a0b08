import { compareBooks } from './books-equal.ts';

compareBooks({ certificates: 167, renewals: 1, kills: 4, lostShare: 0.03 });
