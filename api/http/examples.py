"""Requests that work, shown in the description of the API and in docs/api.md. All organisations in them are made up."""

from typing import Any

ORGANISATION: dict[str, Any] = {
    "OrganisationLegalName": "Harrowgate Flexibility Limited",
    "OrganisationTradingName": "Harrowgate Flex",
    "OrganisationType": "Private Limited Company",
    "OrganisationRoles": ["FSP"],
    "OrganisationRegistrationNumber": "09876543",
    "RegisteredAddressLine1": "4 Mill Lane",
    "RegisteredCity": "Leeds",
    "RegisteredPostcodeOrZip": "LS1 4DY",
    "RegisteredCountry": "GB",
    "PrimaryContactFirstName": "Asha",
    "PrimaryContactLastName": "Morgan",
    "PrimaryContactEmail": "asha.morgan@harrowgate.example",
    "PrimaryMobileNumber": "+447400123456",
}
ASSET: dict[str, Any] = {
    "AssetName": "Riverside battery 1",
    "FriendlyCode": "RIV-001",
    "AssetCategory": "BESS",
    "RatedCapacity": 2500.5,
    "GenCapacity": 2500.5,
    "DemandCapacity": 2400,
    "Manufacturer": "Ampere Devices",
    "AssetModel": "AD-2500",
    "SerialNumber": "AD2500-000123",
    "ConnectionStatus": "CONNECTED",
    "ConnectionType": "FIRM",
    "CommissioningDate": "2025-06-30",
    "EffectiveDate": "2030-01-01",
    "DNOConnection": "UKPN_EPN",
    "ImportMPAN": "1099900000015",
    "Latitude": 52.2053,
    "Longitude": 0.1218,
    "StorageCapacity_kWh": 5000,
    "Aliases": [{"scheme": "ECR", "value": "UKPN-2025-0001"}],
}
