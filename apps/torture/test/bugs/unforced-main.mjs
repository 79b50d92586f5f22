// The bugs of a worker that show without any fault, all in one process.
import './careless-turns-main.mjs';
import './hot-start-main.mjs';
import './marked-attempts-main.mjs';
