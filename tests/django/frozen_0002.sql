PRAGMA foreign_keys = OFF;
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
INSERT INTO "django_migrations" VALUES(1,'energycore','0001_first_tables','2026-11-25 00:12:21.699084');
INSERT INTO "django_migrations" VALUES(2,'energycore','0002_totals','2026-11-25 00:12:21.743691');
CREATE TABLE energycore_bucket (
	tenant_id VARCHAR(200) NOT NULL, 
	tier SMALLINT NOT NULL, 
	kind SMALLINT NOT NULL, 
	series_id BIGINT NOT NULL, 
	start_us BIGINT NOT NULL, 
	end_us BIGINT NOT NULL, 
	covered_ms BIGINT NOT NULL, 
	reading_count BIGINT NOT NULL, 
	produced_mwh BIGINT NOT NULL, 
	produced_rest_mwms BIGINT NOT NULL, 
	consumed_mwh BIGINT NOT NULL, 
	consumed_rest_mwms BIGINT NOT NULL, 
	min_mw BIGINT, 
	max_mw BIGINT, 
	first_at_us BIGINT, 
	first_mw BIGINT, 
	first_mwh BIGINT, 
	last_at_us BIGINT, 
	last_mw BIGINT, 
	last_mwh BIGINT, 
	stored_ms BIGINT NOT NULL, 
	stored_mwh_h BIGINT NOT NULL, 
	stored_rest_mwh_ms BIGINT NOT NULL, 
	room_mwh_h BIGINT NOT NULL, 
	room_rest_mwh_ms BIGINT NOT NULL, 
	CONSTRAINT energycore_bucket_pkey PRIMARY KEY (tenant_id, tier, kind, series_id, start_us)
)
 WITHOUT ROWID

;
INSERT INTO "energycore_bucket" VALUES('default',1,1,1,1780099200000000,1780100100000000,900000,3,25000,0,0,0,0,200000,1780099200000000,0,NULL,1780099800000000,200000,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,1,1,1780100100000000,1780101000000000,900000,3,100000,0,0,0,300000,500000,1780100100000000,300000,NULL,1780100700000000,500000,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,1,1,1780101000000000,1780101900000000,900000,3,175000,0,0,0,600000,800000,1780101000000000,600000,NULL,1780101600000000,800000,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,1,1,1780101900000000,1780102800000000,900000,3,250000,0,0,0,900000,1100000,1780101900000000,900000,NULL,1780102500000000,1100000,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,2,1,1780099200000000,1780100100000000,900000,3,25000,0,0,0,0,200000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,2,1,1780100100000000,1780101000000000,900000,3,100000,0,0,0,300000,500000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,2,1,1780101000000000,1780101900000000,900000,3,175000,0,0,0,600000,800000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,2,1,1780101900000000,1780102800000000,900000,3,250000,0,0,0,900000,1100000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,3,0,1780099200000000,1780100100000000,900000,3,25000,0,0,0,0,200000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,3,0,1780100100000000,1780101000000000,900000,3,100000,0,0,0,300000,500000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,3,0,1780101000000000,1780101900000000,900000,3,175000,0,0,0,600000,800000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',1,3,0,1780101900000000,1780102800000000,900000,3,250000,0,0,0,900000,1100000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',2,1,1,1780092000000000,1780178400000000,3600000,12,550000,0,0,0,0,1100000,1780099200000000,0,NULL,1780102500000000,1100000,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',2,2,1,1780092000000000,1780178400000000,3600000,12,550000,0,0,0,0,1100000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',2,3,0,1780030800000000,1780117200000000,3600000,12,550000,0,0,0,0,1100000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',3,1,1,1777586400000000,1780264800000000,3600000,12,550000,0,0,0,0,1100000,1780099200000000,0,NULL,1780102500000000,1100000,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',3,2,1,1777586400000000,1780264800000000,3600000,12,550000,0,0,0,0,1100000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
INSERT INTO "energycore_bucket" VALUES('default',3,3,0,1777611600000000,1780290000000000,3600000,12,550000,0,0,0,0,1100000,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0);
CREATE TABLE energycore_device (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	tenant_id VARCHAR(200) NOT NULL, 
	site_id BIGINT, 
	external_id VARCHAR(200), 
	name VARCHAR(200) NOT NULL, 
	name_key VARCHAR(600) NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	ratings JSON NOT NULL, 
	largest_power_w DOUBLE NOT NULL, 
	capacity_mwh BIGINT, 
	noise_key BIGINT NOT NULL, 
	has_own_noise_key BOOLEAN NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	data_source VARCHAR(200) NOT NULL, 
	max_gap_us BIGINT NOT NULL, 
	registered_at_us BIGINT NOT NULL, 
	simulated_from_us BIGINT NOT NULL, 
	dispatch VARCHAR(200), 
	dispatch_parameters JSON, 
	version INTEGER NOT NULL, gap_policy VARCHAR(200) DEFAULT 'hold' NOT NULL, 
	CONSTRAINT energycore_device_tenant_id_id_key UNIQUE (tenant_id, id), 
	CONSTRAINT energycore_device_tenant_id_external_id_key UNIQUE (tenant_id, external_id), 
	CONSTRAINT energycore_device_tenant_id_site_id_name_key UNIQUE (tenant_id, site_id, name), 
	CONSTRAINT energycore_device_tenant_id_site_id_fkey FOREIGN KEY(tenant_id, site_id) REFERENCES energycore_site (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "energycore_device" VALUES(1,'default',1,'roof','Roof','roof','solar_panel','{"rated_power_w": 5000.0}',5000.0,NULL,-7797019912997970579,0,1,'reported',300000000,1780315200000000,0,NULL,NULL,1,'hold');
INSERT INTO "energycore_device" VALUES(2,'default',1,NULL,'Wall','wall','battery','{"capacity_wh": 13500.0, "max_charge_w": 5000.0, "max_discharge_w": 5000.0, "charge_efficiency": 0.96, "discharge_efficiency": 0.96, "min_state_of_charge": 0.0, "max_state_of_charge": 1.0}',5000.0,13500000,7190300851550335326,0,1,'simulated',60000000,1780315200000000,0,'manual','{}',1,'hold');
CREATE TABLE energycore_device_state (
	tenant_id VARCHAR(200) NOT NULL, 
	device_id BIGINT NOT NULL, 
	at_us BIGINT NOT NULL, 
	power_mw BIGINT NOT NULL, 
	stored_mwh BIGINT, 
	CONSTRAINT energycore_device_state_pkey PRIMARY KEY (tenant_id, device_id), 
	CONSTRAINT energycore_device_state_tenant_id_device_id_fkey FOREIGN KEY(tenant_id, device_id) REFERENCES energycore_device (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
)
 WITHOUT ROWID

;
INSERT INTO "energycore_device_state" VALUES('default',1,1780102500000000,1100000,NULL);
INSERT INTO "energycore_device_state" VALUES('default',2,1780315200000000,0,6750000);
CREATE TABLE energycore_device_tag (
	tenant_id VARCHAR(200) NOT NULL, 
	device_id BIGINT NOT NULL, 
	tag VARCHAR(200) NOT NULL, 
	CONSTRAINT energycore_device_tag_pkey PRIMARY KEY (tenant_id, device_id, tag), 
	CONSTRAINT energycore_device_tag_tenant_id_device_id_fkey FOREIGN KEY(tenant_id, device_id) REFERENCES energycore_device (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
)
 WITHOUT ROWID

;
INSERT INTO "energycore_device_tag" VALUES('default',1,'south');
CREATE TABLE energycore_ledger (
	tenant_id VARCHAR(200) NOT NULL, 
	digest BLOB NOT NULL, 
	readings BIGINT NOT NULL, 
	newest_us BIGINT NOT NULL, 
	CONSTRAINT energycore_ledger_pkey PRIMARY KEY (tenant_id, digest)
)
 WITHOUT ROWID

;
CREATE TABLE energycore_mark (
	tenant_id VARCHAR(200) NOT NULL, 
	day BIGINT NOT NULL, 
	device_id BIGINT NOT NULL, 
	marks BIGINT NOT NULL, 
	CONSTRAINT energycore_mark_pkey PRIMARY KEY (tenant_id, day, device_id)
)
 WITHOUT ROWID

;
CREATE TABLE energycore_reading (
	tenant_id VARCHAR(200) NOT NULL, 
	at_us BIGINT NOT NULL, 
	device_id BIGINT NOT NULL, 
	power_mw BIGINT NOT NULL, 
	stored_mwh BIGINT, 
	CONSTRAINT energycore_reading_pkey PRIMARY KEY (tenant_id, at_us, device_id)
)
 WITHOUT ROWID

;
INSERT INTO "energycore_reading" VALUES('default',1780099200000000,1,0,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780099500000000,1,100000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780099800000000,1,200000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780100100000000,1,300000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780100400000000,1,400000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780100700000000,1,500000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780101000000000,1,600000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780101300000000,1,700000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780101600000000,1,800000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780101900000000,1,900000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780102200000000,1,1000000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780102500000000,1,1100000,NULL);
INSERT INTO "energycore_reading" VALUES('default',1780315200000000,2,0,6750000);
CREATE TABLE energycore_reading_day (
	tenant_id VARCHAR(200) NOT NULL, 
	day BIGINT NOT NULL, 
	has_rows BOOLEAN NOT NULL, 
	file_name TEXT, 
	file_rows BIGINT, 
	file_size_bytes BIGINT, 
	is_lost BOOLEAN NOT NULL, 
	revision BIGINT NOT NULL, 
	CONSTRAINT energycore_reading_day_pkey PRIMARY KEY (tenant_id, day)
)
 WITHOUT ROWID

;
INSERT INTO "energycore_reading_day" VALUES('default',20603,1,NULL,NULL,NULL,0,1);
INSERT INTO "energycore_reading_day" VALUES('default',20605,1,NULL,NULL,NULL,0,1);
CREATE TABLE energycore_rollup (
	tenant_id VARCHAR(200) NOT NULL, 
	rolled_us BIGINT, 
	quarter_hour_from_us BIGINT, 
	day_from_us BIGINT, 
	month_from_us BIGINT, 
	CONSTRAINT energycore_rollup_pkey PRIMARY KEY (tenant_id)
)
 WITHOUT ROWID

;
INSERT INTO "energycore_rollup" VALUES('default',1780314300000000,NULL,NULL,NULL);
CREATE TABLE energycore_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT energycore_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "energycore_schema" VALUES('0002');
CREATE TABLE energycore_series (
	tenant_id VARCHAR(200) NOT NULL, 
	device_id BIGINT NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	site_id BIGINT, 
	is_active BOOLEAN NOT NULL, 
	gap_policy VARCHAR(200) NOT NULL, 
	max_gap_us BIGINT NOT NULL, 
	capacity_mwh BIGINT, 
	CONSTRAINT energycore_series_pkey PRIMARY KEY (tenant_id, device_id, valid_from_us), 
	CONSTRAINT energycore_series_tenant_id_device_id_fkey FOREIGN KEY(tenant_id, device_id) REFERENCES energycore_device (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
)
 WITHOUT ROWID

;
INSERT INTO "energycore_series" VALUES('default',1,1780099200000000,1,1,'hold',300000000,NULL);
INSERT INTO "energycore_series" VALUES('default',2,1780315200000000,1,1,'hold',60000000,13500000);
CREATE TABLE energycore_setting (
	tenant_id VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT energycore_setting_pkey PRIMARY KEY (tenant_id, name)
)
 WITHOUT ROWID

;
INSERT INTO "energycore_setting" VALUES('default','rollup_zone','America/Chicago');
CREATE TABLE energycore_shard (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	tenant_id VARCHAR(200) NOT NULL, 
	step_us BIGINT NOT NULL, 
	seed BIGINT NOT NULL, 
	last_tick_us BIGINT, 
	CONSTRAINT energycore_shard_tenant_id_key UNIQUE (tenant_id)
);
INSERT INTO "energycore_shard" VALUES(1,'default',60000000,0,1780315200000000);
CREATE TABLE energycore_simulation_state (
	tenant_id VARCHAR(200) NOT NULL, 
	device_id BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	CONSTRAINT energycore_simulation_state_pkey PRIMARY KEY (tenant_id, device_id), 
	CONSTRAINT energycore_simulation_state_tenant_id_device_id_fkey FOREIGN KEY(tenant_id, device_id) REFERENCES energycore_device (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
)
 WITHOUT ROWID

;
INSERT INTO "energycore_simulation_state" VALUES('default',2,'{"stored_nwh":6750000000000,"setpoint_w":0.0,"mode":0}');
CREATE TABLE energycore_site (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	tenant_id VARCHAR(200) NOT NULL, 
	external_id VARCHAR(200), 
	name VARCHAR(200) NOT NULL, 
	time_zone VARCHAR(200) NOT NULL, 
	latitude DOUBLE, 
	longitude DOUBLE, 
	registered_at_us BIGINT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT energycore_site_tenant_id_id_key UNIQUE (tenant_id, id), 
	CONSTRAINT energycore_site_tenant_id_external_id_key UNIQUE (tenant_id, external_id)
);
INSERT INTO "energycore_site" VALUES(1,'default','home','Home','Europe/Berlin',NULL,NULL,1780315200000000,1);
CREATE TABLE energycore_site_zone (
	tenant_id VARCHAR(200) NOT NULL, 
	site_id BIGINT NOT NULL, 
	valid_from_us BIGINT NOT NULL, 
	time_zone VARCHAR(200) NOT NULL, 
	CONSTRAINT energycore_site_zone_pkey PRIMARY KEY (tenant_id, site_id, valid_from_us), 
	CONSTRAINT energycore_site_zone_tenant_id_site_id_fkey FOREIGN KEY(tenant_id, site_id) REFERENCES energycore_site (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
)
 WITHOUT ROWID

;
INSERT INTO "energycore_site_zone" VALUES('default',1,-4611686018427387904,'Europe/Berlin');
CREATE UNIQUE INDEX energycore_device_name_without_site_key ON energycore_device (tenant_id, name) WHERE site_id IS NULL;
CREATE INDEX energycore_device_tenant_id_name_key_id_idx ON energycore_device (tenant_id, name_key, id);
CREATE INDEX energycore_device_tenant_id_registered_at_us_id_idx ON energycore_device (tenant_id, registered_at_us, id);
CREATE INDEX energycore_device_tenant_id_largest_power_w_id_idx ON energycore_device (tenant_id, largest_power_w, id);
CREATE INDEX energycore_device_tag_tenant_id_tag_device_id_idx ON energycore_device_tag (tenant_id, tag, device_id);
CREATE INDEX energycore_series_tenant_id_site_id_device_id_idx ON energycore_series (tenant_id, site_id, device_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('django_migrations',2);
INSERT INTO "sqlite_sequence" VALUES('energycore_site',1);
INSERT INTO "sqlite_sequence" VALUES('energycore_shard',1);
INSERT INTO "sqlite_sequence" VALUES('energycore_device',2);
PRAGMA foreign_keys = ON;
