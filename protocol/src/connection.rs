//! The sans-IO WebSocket connection.
