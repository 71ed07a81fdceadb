//! The facade, and the only place that combines the parts.
